//! What the macro writes, for a function of each shape.

use proc_macro2::TokenStream;
use quote::quote;

fn expanded(attribute: TokenStream, item: TokenStream) -> String {
    let tokens = crate::stages::traced(attribute, item);
    prettyplease::unparse(&syn::parse2(tokens).expect("the expansion is an item"))
}

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
fn an_async_method() {
    insta::assert_snapshot!(expanded(quote!("look up", skip(key)), quote! {
        async fn find(&self, key: &str) -> Result<Page, Error> { self.get(key).await }
    }), @r#"
async fn find(&self, key: &str) -> Result<Page, Error> {
    let __bt_enabled = ::braintrust::__private::enabled();
    let (__bt_span, __bt_future) = match (key,) {
        (key,) => {
            (
                {
                    use ::braintrust::__private::by_reference::*;
                    static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                        "look up",
                        ::braintrust::__private::SpanType::Function,
                        ::core::file!(),
                        ::core::line!(),
                        ::core::concat!(::core::module_path!(), "::", "find"),
                    );
                    if __bt_enabled {
                        ::braintrust::__private::start(&__BT_CALLSITE, &[])
                    } else {
                        ::braintrust::__private::None
                    }
                },
                async move {
                    if let ::braintrust::__private::Some(__bt_never) = ::braintrust::__private::None::<
                        Result<Page, Error>,
                    > {
                        return __bt_never;
                    }
                    let _ = &self;
                    match key {
                        key => self.get(key).await,
                    }
                },
            )
        }
    };
    if __bt_enabled {
        ::braintrust::__private::Traced::new(
                __bt_span,
                __bt_future,
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
            .await
    } else {
        ::braintrust::__private::forget(__bt_span);
        __bt_future.await
    }
}
"#);
}

#[test]
fn every_option_before_the_body() {
    let attribute =
        quote!("step {n}", input = n, metadata(model = m, "x.y" = 2), tags("a"), parent = p, logger = l, no_output);
    insta::assert_snapshot!(expanded(attribute, quote! {
        fn step(n: u8, p: &Span) -> u8 { n }
    }), @r#"
::core::compile_error! {
    "`logger` is only used without a parent; remove one of them"
}
fn step(n: u8, p: &Span) -> u8 {
    n
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
fn a_function_that_never_returns() {
    insta::assert_snapshot!(expanded(quote!(), quote! {
        async fn run() -> ! { loop {} }
    }), @r#"
async fn run() -> ! {
    let __bt_enabled = ::braintrust::__private::enabled();
    let (__bt_span, __bt_future) = (
        {
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
        },
        async move {
            if let ::braintrust::__private::Some(__bt_never) = ::braintrust::__private::None::<
                ::braintrust::__private::Infallible,
            > {
                return __bt_never;
            }
            match () {
                () => loop {}
            }
        },
    );
    match if __bt_enabled {
        ::braintrust::__private::Traced::new(
                __bt_span,
                __bt_future,
                ::braintrust::__private::ignore,
            )
            .await
    } else {
        ::braintrust::__private::forget(__bt_span);
        __bt_future.await
    } {}
}
"#);
}

#[test]
fn a_type_that_may_be_a_boxed_future() {
    insta::assert_snapshot!(expanded(quote!(), quote! {
        fn later() -> BoxFuture<'static, u8> { Box::pin(async { 1 }) }
    }), @r#"
fn later() -> BoxFuture<'static, u8> {
    {
        use ::braintrust::__private::by_value::*;
        ::braintrust::__private::run(
                {
                    use ::braintrust::__private::by_reference::*;
                    static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                        "later",
                        ::braintrust::__private::SpanType::Function,
                        ::core::file!(),
                        ::core::line!(),
                        ::core::concat!(::core::module_path!(), "::", "later"),
                    );
                    if ::braintrust::__private::enabled() {
                        ::braintrust::__private::start(&__BT_CALLSITE, &[])
                    } else {
                        ::braintrust::__private::None
                    }
                },
                move || -> BoxFuture<'static, u8> {
                    match () {
                        () => Box::pin(async { 1 }),
                    }
                },
            )
            .__bt_finish(|__bt_result, __bt_fields| {
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
            })
    }
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
fn an_aggregated_stream() {
    insta::assert_snapshot!(expanded(quote!(stream, aggregate = |items| items.len()), quote! {
        fn numbers() -> impl Stream<Item = u8> { iter([1]) }
    }), @r#"
fn numbers() -> impl Stream<Item = u8> {
    ::braintrust::__private::call_stream_aggregated(
        {
            use ::braintrust::__private::by_reference::*;
            static __BT_CALLSITE: ::braintrust::__private::Callsite = ::braintrust::__private::Callsite::new(
                "numbers",
                ::braintrust::__private::SpanType::Function,
                ::core::file!(),
                ::core::line!(),
                ::core::concat!(::core::module_path!(), "::", "numbers"),
            );
            if ::braintrust::__private::enabled() {
                ::braintrust::__private::start(&__BT_CALLSITE, &[])
            } else {
                ::braintrust::__private::None
            }
        },
        move || -> _ {
            match () {
                () => iter([1]),
            }
        },
        |__bt_item, __bt_fields| {
            use ::braintrust::__private::by_reference::*;
            match ::braintrust::__private::Split(__bt_item).__bt_split() {
                ::braintrust::__private::Outcome::Value(__bt_value) => {
                    ::braintrust::__private::Some(
                        ::braintrust::__private::Clone::clone(__bt_value),
                    )
                }
                ::braintrust::__private::Outcome::Error(__bt_error) => {
                    ::braintrust::__private::set_error(
                        __bt_fields,
                        (&&&&&::braintrust::__private::Failure(__bt_error)).__bt_error(),
                    );
                    ::braintrust::__private::None
                }
                ::braintrust::__private::Outcome::Absent => ::braintrust::__private::None,
            }
        },
        |__bt_values, __bt_fields| {
            use ::braintrust::__private::by_reference::*;
            match __bt_values {
                items => {
                    ::braintrust::__private::set_output(
                        __bt_fields,
                        (&&&&&&&::braintrust::__private::Probe(&(items.len())))
                            .__bt_value(),
                    )
                }
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
            #[cfg(x)]
            let a = a;
            match b {
                #[allow(unused)]
                b => {}
            }
        },
        ::braintrust::__private::ignore,
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
    "`skip` names `b`, which is not a parameter of `f`; did you mean `a`?"
}
fn f(a: u8) -> u8 {
    a
}
"#);
}
