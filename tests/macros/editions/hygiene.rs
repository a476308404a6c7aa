//! HY: names that an expansion could stumble over.
#![allow(clippy::must_use_candidate, clippy::missing_const_for_fn, clippy::unused_async, missing_docs)]
#![allow(clippy::many_single_char_names, clippy::missing_errors_doc, clippy::cast_possible_truncation)]

/// HY-01: arguments named like anything the expansion could use.
pub mod arguments {
    use braintrust::traced;

    #[traced]
    #[allow(clippy::too_many_arguments)]
    pub fn sync(display: u8, debug: u8, span: u8, input: u8, output: u8, result: u8, value: u8, error: u8) -> u8 {
        display + debug + span + input + output + result + value + error
    }

    #[traced("{__bt_result} {fields}", output = |__bt_value| *__bt_value)]
    #[allow(clippy::used_underscore_binding)]
    pub async fn later(__bt_result: u8, __bt_fields: u8, fields: u8, opening: u8, task: u8) -> u8 {
        __bt_result + __bt_fields + fields + opening + task
    }
}

/// HY-02: the names of the prelude mean something else.
pub mod prelude {
    #![allow(dead_code)]

    pub struct Result;
    pub struct Option;
    pub struct Box;
    pub struct String;
    pub struct Vec;
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub trait Future {}
    pub trait Clone {}
    pub trait Send {}

    #[braintrust::traced]
    pub fn sync(a: u8) -> u8 {
        a
    }

    #[braintrust::traced("{a}", metadata(a), tags(a), output = |n| *n)]
    pub async fn later(a: u8) -> ::std::result::Result<u8, ()> {
        ::std::result::Result::Ok(a)
    }

    #[braintrust::traced]
    pub fn boxed() -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = u8> + ::std::marker::Send>> {
        ::std::boxed::Box::pin(async { 1 })
    }
}

/// HY-03: modules named like crates.
pub mod crates {
    pub mod std {}
    pub mod core {}
    pub mod alloc {}
    pub mod serde_json {}
    pub mod braintrust {}

    #[::braintrust::traced]
    pub fn sync(a: u8) -> Option<u8> {
        Some(a)
    }

    #[::braintrust::traced("{a}", metadata(a), err = debug)]
    pub async fn later(a: u8) -> Result<u8, String> {
        Ok(a)
    }
}

/// HY-04: nothing is in scope.
pub mod nothing {
    #![no_implicit_prelude]

    #[::braintrust::traced]
    pub fn sync(a: u8, b: &str) -> u8 {
        a + b.len() as u8
    }

    #[::braintrust::traced("{a}", metadata(a), tags(a), input = a, output = |n| *n, error_if = |n| *n == 0, err = debug)]
    pub async fn later(a: u8) -> ::std::result::Result<u8, ::std::string::String> {
        ::std::result::Result::Ok(a)
    }

    #[::braintrust::traced]
    pub fn stream() -> impl ::futures::Stream<Item = u8> {
        ::futures::stream::iter([1])
    }

    #[::braintrust::traced(stream, aggregate = |all| all.len())]
    pub fn aggregated() -> impl ::futures::Stream<Item = u8> {
        ::futures::stream::iter([1])
    }

    #[::braintrust::traced]
    pub fn future((a, _): (u8, u8), _: u8) -> impl ::std::future::Future<Output = ::std::result::Result<u8, u8>> {
        async move { ::std::result::Result::Ok(a) }
    }

    #[::braintrust::traced]
    pub async fn hidden((text, _): (::std::string::String, u8)) -> impl ::std::iter::Iterator<Item = u8> {
        ::std::iter::IntoIterator::into_iter(::std::string::String::into_bytes(text))
    }

    #[::braintrust::traced]
    pub fn function(ref text: ::std::string::String) -> impl ::std::ops::Fn(&str) -> bool {
        let n = text.len();
        move |other| other.len() == n
    }

    #[::braintrust::traced]
    #[track_caller]
    pub fn tracked() -> u8 {
        1
    }
}

/// HY-05: every value has methods of any name.
pub mod blanket {
    pub trait Everything {
        fn insert(&self) {}
        fn input(&self) {}
        fn output(&self) {}
        fn to_string(&self) {}
        fn fields(&self) {}
        fn start(&self) {}
        fn write(&self) {}
        fn finish(&self) {}
        fn as_ref(&self) {}
    }

    impl<T: ?Sized> Everything for T {}

    #[braintrust::traced("{a}", metadata(a), tags(a))]
    pub fn sync(a: u8) -> Result<u8, u8> {
        a.insert();
        Ok(a)
    }

    #[braintrust::traced]
    #[track_caller]
    pub fn tracked(a: u8) -> u8 {
        a.finish();
        a
    }
}

/// HY-06: functions that a macro writes, from fragments of every kind.
pub mod fragments {
    macro_rules! function {
        ($vis:vis $name:ident($argument:ident: $ty:ty, $pattern:pat => $pair:ty) -> $ret:ty $body:block, $text:literal) => {
            #[braintrust::traced($text, metadata(key = $argument))]
            $vis fn $name($argument: $ty, $pattern: $pair, hidden: u8) -> $ret {
                let _ = hidden;
                $body
            }
        };
    }

    function!(pub named(hidden: u8, (a, b) => (u8, u8)) -> u8 { let sum = hidden + a; sum + b }, "a name");

    macro_rules! expression {
        ($name:ident, $value:expr) => {
            #[braintrust::traced(input = $value, name = $value)]
            pub async fn $name(value: &str) -> usize {
                value.len()
            }
        };
    }

    expression!(from_expression, "from outside");
}

/// The crate's own trait methods do not change what other values mean.
pub mod nested {
    use braintrust::traced;

    #[traced]
    pub fn outer(n: u8) -> u8 {
        #[traced]
        fn inner(n: u8) -> u8 {
            n
        }
        let twice = |n| inner(n) * 2;
        twice(n)
    }
}
