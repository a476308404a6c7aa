//! Arrays and objects under construction.

use serde::ser::{self, Serialize};

use super::escape::write_str;
use super::limits::TOO_DEEP;
use super::map_key::write_key;
use super::serializer::{Refused, Writer};

/// What happens to the members of an array or object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// They are written.
    Written,
    /// They lie too deep: a note stands for all of them.
    Ignored,
    /// The only one is JSON text, and takes the place of the whole.
    Verbatim,
}

/// An array or object that is being written.
pub(super) struct Compound<'w, 'a> {
    writer: &'w mut Writer<'a>,
    fate: Fate,
    close: &'static str,
    levels: usize,
    is_empty: bool,
    left_out: usize,
    /// Whether the value of the key that came last is left out with it.
    skips_value: bool,
    /// Whether a key has been written whose value has not.
    awaits_value: bool,
}

impl<'w, 'a> Compound<'w, 'a> {
    pub(super) fn open(writer: &'w mut Writer<'a>, open: &'static str, close: &'static str) -> Self {
        Self::start(writer, 1, close, |writer| writer.out.extend_from_slice(open.as_bytes()))
    }

    /// An array or object within the object that names an enum's variant.
    pub(super) fn open_variant(
        writer: &'w mut Writer<'a>,
        variant: &'static str,
        open: &'static str,
        close: &'static str,
    ) -> Self {
        Self::start(writer, 2, close, |writer| {
            writer.out.push(b'{');
            write_str(writer.out, variant);
            writer.out.push(b':');
            writer.out.extend_from_slice(open.as_bytes());
        })
    }

    pub(super) fn verbatim(writer: &'w mut Writer<'a>) -> Self {
        Self::new(writer, Fate::Verbatim, 0, "")
    }

    fn start(
        writer: &'w mut Writer<'a>,
        levels: usize,
        close: &'static str,
        open: impl FnOnce(&mut Writer<'a>),
    ) -> Self {
        let fate = if writer.descend(levels) {
            open(writer);
            Fate::Written
        } else {
            write_str(writer.out, TOO_DEEP);
            Fate::Ignored
        };
        Self::new(writer, fate, levels, close)
    }

    fn new(writer: &'w mut Writer<'a>, fate: Fate, levels: usize, close: &'static str) -> Self {
        Self { writer, fate, close, levels, is_empty: true, left_out: 0, skips_value: false, awaits_value: false }
    }

    /// Writes a member.
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut *self.writer).map_err(|refused| self.writer.refuse(refused.0))
    }

    fn separate(&mut self) {
        if !self.is_empty {
            self.writer.out.push(b',');
        }
        self.is_empty = false;
    }

    /// Whether one more member is left out because the value has used up its bytes; counts it if so.
    fn leaves_out(&mut self) -> bool {
        let spent = self.writer.is_spent();
        self.left_out += usize::from(spent);
        spent
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if self.fate == Fate::Ignored || self.leaves_out() {
            return Ok(());
        }
        self.separate();
        self.member(value)
    }

    /// A field of a struct. Their number is fixed in the program, so none is left out for want of bytes: the short
    /// fields that follow a long one are often those that matter.
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Refused> {
        match self.fate {
            Fate::Ignored => Ok(()),
            Fate::Verbatim => {
                value.serialize(VerbatimText(&mut *self.writer)).map_err(|refused| self.writer.refuse(refused.0))
            }
            Fate::Written => {
                self.separate();
                write_str(self.writer.out, key);
                self.writer.out.push(b':');
                self.member(value)
            }
        }
    }

    fn close(mut self) -> Result<(), Refused> {
        if self.fate != Fate::Written {
            return Ok(());
        }
        if self.awaits_value {
            return Err(self.writer.refuse("a key has no value".to_owned()));
        }
        if self.left_out > 0 {
            self.separate();
            let note = format!("<{} more left out: the value is too large>", self.left_out);
            if self.close.starts_with('}') {
                self.writer.out.extend_from_slice("\"…\":".as_bytes());
            }
            write_str(self.writer.out, &note);
        }
        self.writer.out.extend_from_slice(self.close.as_bytes());
        self.writer.ascend(self.levels);
        Ok(())
    }
}

impl ser::SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.item(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeTuple for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.item(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.item(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.item(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        if self.awaits_value {
            return Err(self.writer.refuse("a key has no value".to_owned()));
        }
        self.skips_value = self.fate == Fate::Ignored || self.leaves_out();
        if self.skips_value {
            return Ok(());
        }
        self.separate();
        write_key(self.writer.out, key).map_err(|refused| self.writer.refuse(refused.0))?;
        self.writer.out.push(b':');
        self.awaits_value = true;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if self.skips_value {
            return Ok(());
        }
        if !std::mem::take(&mut self.awaits_value) {
            return Err(self.writer.refuse("a value has no key".to_owned()));
        }
        self.member(value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Refused> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Compound<'_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Refused> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

/// Accepts only a string, and copies it as JSON.
struct VerbatimText<'w, 'a>(&'w mut Writer<'a>);

/// One method of [`VerbatimText`] for each kind of value that it refuses.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$ok, Refused> {
            Err(ser::Error::custom("raw JSON must be a string"))
        })*
    };
}

impl ser::Serializer for VerbatimText<'_, '_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = ser::Impossible<(), Refused>;
    type SerializeTuple = ser::Impossible<(), Refused>;
    type SerializeTupleStruct = ser::Impossible<(), Refused>;
    type SerializeTupleVariant = ser::Impossible<(), Refused>;
    type SerializeMap = ser::Impossible<(), Refused>;
    type SerializeStruct = ser::Impossible<(), Refused>;
    type SerializeStructVariant = ser::Impossible<(), Refused>;

    fn serialize_str(self, json: &str) -> Result<(), Refused> {
        self.0.verbatim(json);
        Ok(())
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }
}
