//! SH: every kind of function.

use braintrust::testing::{capture, capture_blocking};
use braintrust::traced;
use serde_json::json;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[test]
fn sh_01_plain_functions_have_input_and_output() {
    #[traced]
    fn s(a: u8, b: &str) -> String {
        format!("{a}{b}")
    }
    #[traced]
    async fn t(a: u8, b: &str) -> String {
        std::future::ready(()).await;
        format!("{a}{b}")
    }
    let traces = capture_blocking(|| s(1, "x"));
    let span = traces.find("s");
    assert_eq!(span.kind(), Some("function"));
    assert_eq!(span.input(), Some(&json!({"a": 1, "b": "x"})));
    assert_eq!(span.output(), Some(&json!("1x")));
    assert_eq!(span.error(), None);
    assert!(span.is_finished());
    let traces = futures::executor::block_on(capture(t(1, "x")));
    let span = traces.find("t");
    assert_eq!(span.input(), Some(&json!({"a": 1, "b": "x"})));
    assert_eq!(span.output(), Some(&json!("1x")));
    assert!(span.is_finished());
}

#[test]
fn sh_04_functions_that_never_return_compile() {
    #[traced]
    fn n(x: i32) -> ! {
        std::panic::panic_any(x)
    }
    #[traced]
    async fn m(x: i32) -> ! {
        std::future::ready(()).await;
        std::panic::panic_any(x)
    }
    let traces = capture_blocking(|| std::panic::catch_unwind(|| n(3)).map(|_| ()));
    let span = traces.find("n");
    assert_eq!(span.input(), Some(&json!({"x": 3})));
    assert_eq!(span.output(), None);
    let traces = capture_blocking(|| std::panic::catch_unwind(|| futures::executor::block_on(m(3))).map(|_| ()));
    assert_eq!(traces.find("m").input(), Some(&json!({"x": 3})));
}

struct S {
    text: String,
}

impl S {
    fn new() -> Self {
        Self { text: "t".to_owned() }
    }

    #[traced]
    fn by_ref(&self, a: u8) -> usize {
        self.text.len() + usize::from(a)
    }

    #[traced]
    fn by_mut(&mut self) -> &mut String {
        self.text.push('!');
        &mut self.text
    }

    #[traced]
    async fn by_mut_async(&mut self) -> &mut String {
        self.text.push('!');
        &mut self.text
    }

    #[traced]
    fn by_value(self) -> String {
        self.text
    }

    #[traced]
    fn by_mut_value(mut self) -> Self {
        self.text.push('?');
        self
    }

    #[traced]
    fn by_box(self: Box<Self>) -> String {
        self.text
    }

    #[traced]
    async fn by_arc(self: Arc<Self>) -> usize {
        self.text.len()
    }

    #[traced]
    fn by_ref_rc(self: &Rc<Self>) -> usize {
        self.text.len()
    }

    #[traced]
    fn by_pin(mut self: Pin<&mut Self>) -> usize {
        self.text.push('p');
        self.text.len()
    }

    #[traced]
    fn destructured(Self { text: t }: Self) -> String {
        t
    }
}

#[test]
fn sh_06_self_is_not_captured() {
    let traces = capture_blocking(|| S::new().by_ref(4));
    assert_eq!(traces.find("by_ref").input(), Some(&json!({"a": 4})));
    assert_eq!(traces.find("by_ref").output(), Some(&json!(5)));
}

#[test]
fn sh_07_borrows_of_self_may_be_returned() {
    let traces = capture_blocking(|| S::new().by_mut().clear());
    assert_eq!(traces.find("by_mut").output(), Some(&json!("t!")));
    let traces = capture_blocking(|| futures::executor::block_on(async { S::new().by_mut_async().await.clear() }));
    assert_eq!(traces.find("by_mut_async").output(), Some(&json!("t!")));
}

#[test]
fn sh_08_self_by_value() {
    let traces = capture_blocking(|| S::new().by_mut_value().by_value());
    assert_eq!(traces.find("by_value").output(), Some(&json!("t?")));
    assert_eq!(traces.find("by_mut_value").output(), Some(&json!("<macros::shapes::S>")));
}

#[test]
fn sh_09_self_in_pointers() {
    let traces = capture_blocking(|| {
        Box::new(S::new()).by_box();
        futures::executor::block_on(Arc::new(S::new()).by_arc());
        Rc::new(S::new()).by_ref_rc();
    });
    assert_eq!(traces.find("by_box").output(), Some(&json!("t")));
    assert_eq!(traces.find("by_arc").output(), Some(&json!(1)));
    assert_eq!(traces.find("by_ref_rc").output(), Some(&json!(1)));
}

#[test]
fn sh_10_pinned_self() {
    let traces = capture_blocking(|| Pin::new(&mut S::new()).by_pin());
    assert_eq!(traces.find("by_pin").output(), Some(&json!(2)));
}

#[test]
fn sh_12_destructured_self_type() {
    let traces = capture_blocking(|| S::destructured(S::new()));
    assert_eq!(traces.find("destructured").input(), Some(&json!({"t": "t"})));
}

trait Animal {
    #[traced]
    fn legs(&self) -> u8 {
        4
    }
}

impl Animal for S {}
impl Animal for u8 {}

#[test]
fn sh_14_default_methods_make_one_span_a_call() {
    let traces = capture_blocking(|| S::new().legs() + 1u8.legs());
    assert_eq!(traces.find_all("legs").len(), 2);
}

trait Goes {
    fn go(&self) -> impl Future<Output = u8> + Send;
}

impl Goes for S {
    #[traced]
    async fn go(&self) -> u8 {
        std::future::ready(7).await
    }
}

#[test]
fn sh_15_async_fn_for_a_method_that_returns_a_future() {
    let traces = capture_blocking(|| futures::executor::block_on(S::new().go()));
    assert_eq!(traces.find("go").output(), Some(&json!(7)));
}

trait Defaulted {
    #[traced]
    async fn dflt(&self) {}
}

impl Defaulted for S {}

#[test]
fn sh_16_async_default_methods() {
    let traces = capture_blocking(|| futures::executor::block_on(S::new().dflt()));
    assert_eq!(traces.find("dflt").output(), None);
}

#[test]
fn sh_19_sync_recursion_nests() {
    #[traced]
    fn rec(n: u8) -> u8 {
        if n == 0 { 0 } else { rec(n - 1) + 1 }
    }
    let traces = capture_blocking(|| rec(3));
    assert_eq!(traces.len(), 4);
    let mut span = traces.roots()[0];
    for n in (0..4).rev() {
        assert_eq!(span.input(), Some(&json!({"n": n})));
        if n > 0 {
            span = span.children()[0];
        }
    }
}

#[test]
fn sh_20_async_recursion_nests() {
    #[traced]
    async fn rec(n: u8) -> u8 {
        if n == 0 { 0 } else { Box::pin(rec(n - 1)).await + 1 }
    }
    let traces = futures::executor::block_on(capture(rec(3)));
    assert_eq!(traces.len(), 4);
    assert_eq!(traces.roots()[0].output(), Some(&json!(3)));
}

#[test]
fn sh_22_control_flow_is_untouched() {
    #[traced]
    fn flow(limit: Option<u8>) -> Result<u8, String> {
        let Some(limit) = limit else { return Err("no limit".to_owned()) };
        let mut sum = 0;
        let found = 'outer: {
            'rows: for a in 0..limit {
                for b in 0..limit {
                    if b > a {
                        continue 'rows;
                    }
                    sum += b;
                    if sum > 20 {
                        break 'outer a;
                    }
                }
            }
            let n: u8 = "7".parse::<u8>().map_err(|error| error.to_string())?;
            n
        };
        Ok(found)
    }
    let traces = capture_blocking(|| (flow(None), flow(Some(2)), flow(Some(9))));
    let spans = traces.find_all("flow");
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.is_finished()));
    let mut ends: Vec<_> = spans.iter().map(|span| (span.error(), span.output())).collect();
    ends.sort_by_key(|(error, output)| (error.is_none(), output.map(ToString::to_string)));
    assert_eq!(ends[0], (Some("no limit".into()), None));
    assert_eq!(ends[1], (None, Some(&json!(5))));
    assert_eq!(ends[2], (None, Some(&json!(7))));
}

#[test]
fn sh_23_a_return_within_a_macro_is_an_error() {
    #[traced]
    fn bails(n: u8) -> anyhow::Result<Vec<u8>> {
        anyhow::ensure!(n < 10, "too many: {n}");
        if n == 3 {
            anyhow::bail!("three");
        }
        Ok(vec![n])
    }
    let traces = capture_blocking(|| (bails(3).is_err(), bails(10).is_err(), bails(1).is_ok()));
    let mut errors: Vec<_> = traces.find_all("bails").iter().map(|span| span.error()).collect();
    errors.sort();
    assert_eq!(errors, [None, Some("three".into()), Some("too many: 10".into())]);
}

#[test]
fn sh_25_raw_names_lose_their_prefix() {
    #[traced]
    fn r#match(r#type: u8, r#fn: u8) -> u8 {
        r#type + r#fn
    }
    let traces = capture_blocking(|| r#match(1, 2));
    assert_eq!(traces.find("match").input(), Some(&json!({"type": 1, "fn": 2})));
}

mod inner {
    pub(super) mod deeper {
        #[braintrust::traced]
        pub(in crate::shapes) fn seen(a: u8) -> u8 {
            a
        }
        #[braintrust::traced]
        pub(crate) fn crate_wide(a: u8) -> u8 {
            a
        }
    }
}

#[test]
fn sh_26_visibility_is_kept() {
    let traces = capture_blocking(|| inner::deeper::seen(1) + inner::deeper::crate_wide(2));
    assert_eq!(traces.len(), 2);
}

#[test]
fn sh_17_qualifiers_are_kept() {
    mod quiet {
        #![expect(unsafe_code, reason = "what is tested")]
        #[braintrust::traced]
        pub(super) unsafe fn a(p: *const u8) -> u8 {
            unsafe { *p }
        }
        #[braintrust::traced]
        pub(super) async unsafe fn b(p: *const u8) -> u8 {
            unsafe { *p }
        }
        #[braintrust::traced]
        pub(super) unsafe extern "C" fn c(p: *const u8) -> u8 {
            unsafe { *p }
        }
        #[braintrust::traced]
        pub(super) extern "C" fn d(p: u8) -> u8 {
            p
        }
        pub(super) fn all() {
            let x = 5;
            unsafe {
                assert_eq!(a(&raw const x), 5);
                assert_eq!(futures::executor::block_on(b(&raw const x)), 5);
                assert_eq!(c(&raw const x), 5);
            }
            assert_eq!(d(5), 5);
        }
    }
    let traces = capture_blocking(quiet::all);
    assert_eq!(traces.len(), 4);
    assert_eq!(traces.find("c").output(), Some(&json!(5)));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn sh_24_target_features_reach_the_body() {
    mod wide {
        #![expect(unsafe_code, reason = "what is tested")]
        use std::arch::x86_64::{__m256i, _mm256_add_epi32, _mm256_extract_epi32, _mm256_set1_epi32};

        #[target_feature(enable = "avx2")]
        #[braintrust::traced]
        unsafe fn above(n: i32) -> i32 {
            // Only where the feature is on may these be called without `unsafe`.
            let sum: __m256i = _mm256_add_epi32(_mm256_set1_epi32(n), _mm256_set1_epi32(1));
            _mm256_extract_epi32::<7>(sum)
        }
        #[braintrust::traced]
        #[target_feature(enable = "avx2")]
        fn below(n: i32) -> Result<i32, String> {
            if n < 0 {
                return Err("negative".to_owned());
            }
            Ok(_mm256_extract_epi32::<0>(_mm256_set1_epi32(n)))
        }
        #[target_feature(enable = "avx2")]
        #[braintrust::traced]
        async unsafe fn later(n: i32) -> i32 {
            std::future::ready(()).await;
            _mm256_extract_epi32::<3>(_mm256_set1_epi32(n))
        }
        pub(super) fn all() {
            if std::arch::is_x86_feature_detected!("avx2") {
                unsafe {
                    assert_eq!(above(1), 2);
                    assert_eq!(below(3), Ok(3));
                    assert!(below(-1).is_err());
                    assert_eq!(futures::executor::block_on(later(4)), 4);
                }
            }
        }
    }
    let traces = capture_blocking(wide::all);
    if std::arch::is_x86_feature_detected!("avx2") {
        assert_eq!(traces.len(), 4);
        assert_eq!(traces.find("above").output(), Some(&json!(2)));
        assert_eq!(traces.find("later").input(), Some(&json!({"n": 4})));
    }
}
