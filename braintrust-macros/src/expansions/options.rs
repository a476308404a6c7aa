//! What options add, and what wrong ones come to.

use quote::quote;

use super::expanded;

#[test]
fn every_option_before_the_body() {
    let attribute = quote!("step {n}", input = n, metadata(model = m, "x.y" = 2), tags("a"), parent = p, no_output);
    insta::assert_snapshot!(expanded(attribute, quote! {
        fn step(n: u8, p: &Span) -> u8 { n }
    }), @r#"
fn step(n: u8, p: &Span) -> u8 {
    ::braintrust::__private::call(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "step",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "step"),
            );
            if ::braintrust::__private::enabled() {
                match ::braintrust::__private::open(
                    &__BT_CALLSITE,
                    ::braintrust::__private::place(|| ::braintrust::__private::parent(
                        &(p),
                    )),
                    ::braintrust::__private::None,
                ) {
                    ::braintrust::__private::Some(mut __bt_opening) => {
                        ::braintrust::__private::prepare(
                            &mut __bt_opening,
                            |__bt_opening| {
                                ::braintrust::__private::set_name(
                                    __bt_opening,
                                    &::braintrust::__private::format!("step {n}"),
                                );
                                ::braintrust::__private::set_input(
                                    __bt_opening,
                                    (&&&&&&&::braintrust::__private::Probe(&(n))).__bt_value(),
                                );
                                ::braintrust::__private::set_metadata(
                                    __bt_opening,
                                    &[
                                        (
                                            "model",
                                            (&&&&&&&::braintrust::__private::Probe(&(m))).__bt_value(),
                                        ),
                                        (
                                            "x.y",
                                            (&&&&&&&::braintrust::__private::Probe(&(2))).__bt_value(),
                                        ),
                                    ],
                                );
                                ::braintrust::__private::set_tags(
                                    __bt_opening,
                                    &[
                                        (&&&&&&&::braintrust::__private::Probe(&("a"))).__bt_value(),
                                    ],
                                );
                            },
                        );
                        ::braintrust::__private::Some(
                            ::braintrust::__private::Opening::start(__bt_opening),
                        )
                    }
                    ::braintrust::__private::None => ::braintrust::__private::None,
                }
            } else {
                ::braintrust::__private::None
            }
        },
        move || -> u8 {
            match n {
                n => {
                    match &n {
                        _ => {
                            match p {
                                p => {
                                    match &p {
                                        _ => n,
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
        |__bt_result, __bt_fields| {
            use ::braintrust::__private::by_reference::*;
            match ::braintrust::__private::Split(__bt_result).__bt_split() {
                ::braintrust::__private::Outcome::Value(__bt_value) => {
                    let _ = (__bt_value, &mut *__bt_fields);
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
fn every_option_after_the_body() {
    let attribute = quote!(output = |reply| reply.text(), err = Failure::code, error_if = |reply: &Reply| reply.bad());
    insta::assert_snapshot!(expanded(attribute, quote! {
        fn ask() -> Result<Reply, Failure> { inner() }
    }), @r#"
fn ask() -> Result<Reply, Failure> {
    ::braintrust::__private::call(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "ask",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "ask"),
            );
            if ::braintrust::__private::enabled() {
                ::braintrust::__private::start(&__BT_CALLSITE, &[])
            } else {
                ::braintrust::__private::None
            }
        },
        move || -> Result<Reply, Failure> {
            match () {
                () => inner(),
            }
        },
        |__bt_result, __bt_fields| {
            use ::braintrust::__private::by_reference::*;
            match ::braintrust::__private::Split(__bt_result).__bt_split() {
                ::braintrust::__private::Outcome::Value(__bt_value) => {
                    match __bt_value {
                        reply => {
                            ::braintrust::__private::set_output(
                                __bt_fields,
                                (&&&&&&&::braintrust::__private::Probe(&(reply.text())))
                                    .__bt_value(),
                            )
                        }
                    };
                    {
                        let reply: &Reply = __bt_value;
                        ::braintrust::__private::set_error_if(
                            __bt_fields,
                            reply.bad(),
                            "| reply : & Reply | reply . bad ()",
                        )
                    }
                }
                ::braintrust::__private::Outcome::Error(__bt_error) => {
                    ::braintrust::__private::set_error_value(
                        __bt_fields,
                        (&&&&&&&::braintrust::__private::Probe(
                            &(Failure::code(__bt_error)),
                        ))
                            .__bt_value(),
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
fn mistakes_leave_the_item_as_it_was() {
    insta::assert_snapshot!(expanded(quote!(typ = "llm", skip(b)), quote! {
        fn f(a: u8) -> u8 { a }
    }), @r#"
::core::compile_error! {
    "unknown option `typ`; did you mean `type`?"
}
::core::compile_error! {
    "`skip` names `b`, which is not a parameter of `f`; its only one is `a`"
}
fn f(a: u8) -> u8 {
    a
}
"#);
}
