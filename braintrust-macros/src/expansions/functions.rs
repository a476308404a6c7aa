//! Functions that return, or never do.

use quote::quote;

use super::expanded;

#[test]
fn a_plain_function() {
    insta::assert_snapshot!(expanded(quote!(type = "tool"), quote! {
        /// Documented.
        pub fn add(a: u8, mut b: Vec<u8>) -> usize { b.push(a); b.len() }
    }), @r#"
/// Documented.
pub fn add(a: u8, b: Vec<u8>) -> usize {
    ::braintrust::__private::call(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "add",
                ::braintrust::__private::SpanType::Tool,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "add"),
            );
            if ::braintrust::__private::enabled() {
                ::braintrust::__private::start(
                    &__BT_CALLSITE,
                    &[
                        ("a", (&&&&&&&::braintrust::__private::Probe(&a)).__bt_value()),
                        ("b", (&&&&&&&::braintrust::__private::Probe(&b)).__bt_value()),
                    ],
                )
            } else {
                ::braintrust::__private::None
            }
        },
        move || -> usize {
            match a {
                a => {
                    match b {
                        mut b => {
                            b.push(a);
                            b.len()
                        }
                    }
                }
            }
        },
        |__bt_result, __bt_fields| {
            use ::braintrust::__private::by_reference::*;
            match ::braintrust::__private::Split(__bt_result).__bt_split() {
                ::braintrust::__private::Outcome::Value(__bt_value) => {
                    ::braintrust::__private::set_output(
                        __bt_fields,
                        (&&&&&&&::braintrust::__private::Probe(__bt_value)).__bt_value(),
                    );
                }
                ::braintrust::__private::Outcome::Error(__bt_error) => {
                    ::braintrust::__private::set_error(
                        __bt_fields,
                        (&&&&&::braintrust::__private::Failure(__bt_error)).__bt_error(),
                    )
                }
                ::braintrust::__private::Outcome::Absent => {}
            }
        },
    )
}
"#);
}

#[test]
fn a_function_that_never_returns() {
    insta::assert_snapshot!(expanded(quote!(), quote! {
        async fn run() -> ! { loop {} }
    }), @r#"
async fn run() -> ! {
    let __bt_enabled = ::braintrust::__private::enabled();
    let __bt_span;
    let __bt_future = {
        __bt_span = ::braintrust::__private::ManuallyDrop::new({
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "run",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "run"),
            );
            if __bt_enabled {
                ::braintrust::__private::start(&__BT_CALLSITE, &[])
            } else {
                ::braintrust::__private::None
            }
        });
        ::braintrust::__private::ManuallyDrop::new(async move {
            if let ::braintrust::__private::Some(__bt_never) = ::braintrust::__private::None::<
                ::braintrust::__private::Infallible,
            > {
                return __bt_never;
            }
            match () {
                () => loop {}
            }
        })
    };
    match if __bt_enabled {
        ::braintrust::__private::Traced::new(
                ::braintrust::__private::ManuallyDrop::into_inner(__bt_span),
                ::braintrust::__private::ManuallyDrop::into_inner(__bt_future),
                ::braintrust::__private::ignore,
            )
            .await
    } else {
        ::braintrust::__private::ManuallyDrop::into_inner(__bt_future).await
    } {}
}
"#);
}

#[test]
fn a_tracked_caller() {
    insta::assert_snapshot!(expanded(quote!(), quote! {
        #[track_caller]
        fn at() -> u32 { Location::caller().line() }
    }), @r#"
#[track_caller]
fn at() -> u32 {
    ::braintrust::__private::Inline::enter({
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "at",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "at"),
            );
            if ::braintrust::__private::enabled() {
                ::braintrust::__private::start(&__BT_CALLSITE, &[])
            } else {
                ::braintrust::__private::None
            }
        })
        .finish(
            {
                match () {
                    () => Location::caller().line(),
                }
            },
            |__bt_result, __bt_fields| {
                use ::braintrust::__private::by_reference::*;
                match ::braintrust::__private::Split(__bt_result).__bt_split() {
                    ::braintrust::__private::Outcome::Value(__bt_value) => {
                        ::braintrust::__private::set_output(
                            __bt_fields,
                            (&&&&&&&::braintrust::__private::Probe(__bt_value))
                                .__bt_value(),
                        );
                    }
                    ::braintrust::__private::Outcome::Error(__bt_error) => {
                        ::braintrust::__private::set_error(
                            __bt_fields,
                            (&&&&&::braintrust::__private::Failure(__bt_error))
                                .__bt_error(),
                        )
                    }
                    ::braintrust::__private::Outcome::Absent => {}
                }
            },
        )
}
"#);
}

#[test]
fn parameters_that_are_compiled_out() {
    insta::assert_snapshot!(expanded(quote!(), quote! {
        fn f(#[cfg(x)] a: u8, #[allow(unused)] (b, _): (u8, u8)) {}
    }), @r#"
fn f(#[cfg(x)] a: u8, #[allow(unused)] (b, _): (u8, u8)) {
    ::braintrust::__private::call(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "f",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "f"),
            );
            if ::braintrust::__private::enabled() {
                ::braintrust::__private::start(
                    &__BT_CALLSITE,
                    &[
                        #[cfg(x)]
                        ("a", (&&&&&&&::braintrust::__private::Probe(&a)).__bt_value()),
                        ("b", (&&&&&&&::braintrust::__private::Probe(&b)).__bt_value()),
                    ],
                )
            } else {
                ::braintrust::__private::None
            }
        },
        move || {
            {
                #[cfg(x)]
                let a = a;
                match b {
                    #[allow(unused)]
                    b => {}
                }
            }
        },
        ::braintrust::__private::ignore,
    )
}
"#);
}

#[test]
fn a_parameter_of_which_a_part_has_no_name() {
    insta::assert_snapshot!(expanded(quote!(skip(b)), quote! {
        fn f((a, ref mut b, _): (A, B, C)) {}
    }), @r#"
fn f(_a_b: (A, B, C)) {
    ::braintrust::__private::call(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "f",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "f"),
            );
            if ::braintrust::__private::enabled() {
                let (a, _, _) = &_a_b;
                ::braintrust::__private::start(
                    &__BT_CALLSITE,
                    &[("a", (&&&&&&&::braintrust::__private::Probe(a)).__bt_value())],
                )
            } else {
                ::braintrust::__private::None
            }
        },
        move || {
            match _a_b {
                mut _a_b => {
                    match _a_b {
                        (a, ref mut b, _) => {}
                    }
                }
            }
        },
        ::braintrust::__private::ignore,
    )
}
"#);
}
