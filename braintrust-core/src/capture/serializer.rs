//! A `serde` serializer that writes JSON text straight into a byte vector, within bounds of size and depth.

use std::fmt;

use serde::ser::{self, Serialize};

use super::compound::Compound;
use super::escape::{escape_into, reserve, write_short, write_str};
use super::limits::{MAX_DEPTH, MAX_LAYERS, TOO_DEEP};
use super::media;
use super::number::{write_f32, write_f64, write_i128, write_integer, write_u128};
use super::text::write_text;
use super::verbatim::is_readable;

/// What `serde_json` calls the structs that carry JSON text which is ready to be copied.
const VERBATIM_STRUCTS: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

/// The reason that a `Serialize` implementation gave for giving up.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// Writes one value.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// The length of `out` at which the value has used up its bytes.
    end: usize,
    /// How many bytes of base64 it may hold beside.
    media: usize,
    depth: usize,
    layers: usize,
    /// What went wrong within the value. The implementation around it may have passed over that, and what was written
    /// until then is no JSON.
    problem: Option<String>,
}

impl<'a> Writer<'a> {
    /// A writer that appends a value of about `budget` bytes at most.
    pub(super) fn new(out: &'a mut Vec<u8>, budget: usize) -> Self {
        let end = out.len().saturating_add(budget);
        Self { out, end, media: media::allowance(budget), depth: 0, layers: 0, problem: None }
    }

    /// Notes what went wrong.
    #[cold]
    pub(super) fn refuse(&mut self, problem: String) -> Refused {
        self.problem.get_or_insert_with(|| problem.clone());
        Refused(problem)
    }

    /// What came of the value, whose implementation returned `returned`.
    pub(super) fn finish(self, returned: Result<(), Refused>) -> Result<(), Refused> {
        self.problem.map_or(returned, |problem| Err(Refused(problem)))
    }

    /// Whether the value has used up its bytes.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.out.len() >= self.end
    }

    /// Goes `levels` arrays or objects deeper, unless that is too deep.
    pub(super) fn descend(&mut self, levels: usize) -> bool {
        if self.depth + levels > MAX_DEPTH {
            return false;
        }
        self.depth += levels;
        true
    }

    pub(super) fn ascend(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// Text that is JSON already; as a string if that cannot be read, or has no room.
    pub(super) fn verbatim(&mut self, json: &str) {
        self.allow_media(json);
        let has_room = json.len() <= self.end.saturating_sub(self.out.len());
        if has_room && is_readable(json, MAX_DEPTH - self.depth) {
            self.out.extend_from_slice(json.as_bytes());
        } else {
            self.string(json);
        }
    }

    /// Makes room for the base64 in a text, as far as there may be so much.
    fn allow_media(&mut self, text: &str) {
        let bytes = media::base64_bytes(text);
        if bytes <= self.media {
            self.media -= bytes;
            self.end = self.end.saturating_add(bytes);
        }
    }

    fn string(&mut self, text: &str) {
        let room = self.end.saturating_sub(self.out.len());
        if text.len() > room || !write_short(self.out, text) {
            self.string_within(text);
        }
    }

    /// The same, however long the text is.
    #[inline(never)]
    fn string_within(&mut self, text: &str) {
        self.allow_media(text);
        reserve(self.out, text.len().min(self.end.saturating_sub(self.out.len())));
        self.out.push(b'"');
        let taken = escape_into(self.out, text, self.end);
        if taken < text.len() {
            let note = format!("… [{} of {} bytes are cut]", text.len() - taken, text.len());
            self.out.extend_from_slice(note.as_bytes());
        }
        self.out.push(b'"');
    }

    /// A value in a layer that leaves no trace in the JSON.
    fn layer<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if self.layers == MAX_LAYERS {
            write_str(self.out, TOO_DEEP);
            return Ok(());
        }
        self.layers += 1;
        let done = value.serialize(&mut *self);
        self.layers -= 1;
        done
    }

    fn variant_key(&mut self, variant: &str) {
        self.out.push(b'{');
        write_str(self.out, variant);
        self.out.push(b':');
    }

    fn array(&mut self) -> Compound<'_, 'a> {
        Compound::open(self, "[", "]")
    }

    fn object(&mut self) -> Compound<'_, 'a> {
        Compound::open(self, "{", "}")
    }
}

impl<'w, 'a> ser::Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Compound<'w, 'a>;
    type SerializeTuple = Compound<'w, 'a>;
    type SerializeTupleStruct = Compound<'w, 'a>;
    type SerializeTupleVariant = Compound<'w, 'a>;
    type SerializeMap = Compound<'w, 'a>;
    type SerializeStruct = Compound<'w, 'a>;
    type SerializeStructVariant = Compound<'w, 'a>;

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i16(self, value: i16) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }

    fn serialize_i32(self, value: i32) -> Result<(), Refused> {
        self.serialize_i64(i64::from(value))
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<(), Refused> {
        write_integer(self.out, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Refused> {
        write_i128(self.out, value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Result<(), Refused> {
        self.serialize_u64(u64::from(value))
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<(), Refused> {
        write_integer(self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Refused> {
        write_u128(self.out, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        write_f32(self.out, value);
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        write_f64(self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.layer(value)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Refused> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Refused> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Refused> {
        self.layer(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        if !self.descend(1) {
            return self.serialize_str(TOO_DEEP);
        }
        self.variant_key(variant);
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        self.ascend(1);
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'w, 'a>, Refused> {
        Ok(self.array())
    }

    fn serialize_tuple(self, _len: usize) -> Result<Compound<'w, 'a>, Refused> {
        Ok(self.array())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Compound<'w, 'a>, Refused> {
        Ok(self.array())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w, 'a>, Refused> {
        Ok(Compound::open_variant(self, variant, "[", "]}"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Compound<'w, 'a>, Refused> {
        Ok(self.object())
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Compound<'w, 'a>, Refused> {
        if VERBATIM_STRUCTS.contains(&name) {
            return Ok(Compound::verbatim(self));
        }
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w, 'a>, Refused> {
        Ok(Compound::open_variant(self, variant, "{", "}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Refused> {
        if write_text(self.out, self.end, format_args!("{value}")) {
            Ok(())
        } else {
            Err(ser::Error::custom("its `Display` returned an error"))
        }
    }
}
