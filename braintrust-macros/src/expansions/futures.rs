//! Functions whose work goes on after they return.

use quote::quote;

use super::expanded;

#[test]
fn an_async_method() {
    insta::assert_snapshot!(expanded(quote!("look up", skip(key)), quote! {
        async fn find(&self, key: &str) -> Result<Page, Error> { self.get(key).await }
    }), @r#"
async fn find(&self, key: &str) -> Result<Page, Error> {
    let __bt_enabled = ::braintrust::__private::enabled();
    let __bt_span;
    let __bt_future = match (key,) {
        (key,) => {
            __bt_span = ::braintrust::__private::ManuallyDrop::new({
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
            });
            ::braintrust::__private::ManuallyDrop::new(async move {
                if let ::braintrust::__private::Some(__bt_never) = ::braintrust::__private::None::<
                    Result<Page, Error>,
                > {
                    return __bt_never;
                }
                let _ = &self;
                match key {
                    key => self.get(key).await,
                }
            })
        }
    };
    if __bt_enabled {
        ::braintrust::__private::Traced::new(
                ::braintrust::__private::ManuallyDrop::into_inner(__bt_span),
                ::braintrust::__private::ManuallyDrop::into_inner(__bt_future),
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
        ::braintrust::__private::ManuallyDrop::into_inner(__bt_future).await
    }
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
            let __bt_item: &u8 = __bt_item;
            match ::braintrust::__private::Split(__bt_item).__bt_split() {
                ::braintrust::__private::Outcome::Value(__bt_value) => {
                    if ::braintrust::__private::may_own_memory(__bt_value) {
                        ::braintrust::__private::set_output(
                            __bt_fields,
                            (&&&&&&&::braintrust::__private::Probe(__bt_value))
                                .__bt_value(),
                        );
                    }
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
