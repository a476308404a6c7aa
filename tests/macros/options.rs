//! OP: what the options do.

use braintrust::testing::{capture_blocking, memory_logger};
use braintrust::{Parent, SpanType, start_span, traced};
use serde_json::json;

const NAME: &str = "from a constant";

mod names {
    pub(super) const X: &str = "from a path";
    pub(super) fn f(n: u8) -> String {
        format!("from a function {n}")
    }
}

#[test]
fn op_01_names() {
    #[traced("a literal")]
    fn a() {}
    #[traced(NAME)]
    fn b() {}
    #[traced(names::X)]
    fn c() {}
    #[traced(names::f(n))]
    fn d(n: u8) -> u8 {
        n
    }
    #[traced(name = concat!("joined", " together"))]
    fn e() {}
    #[traced(answer, type = "llm")]
    fn f() {}
    #[traced(name = "step {n:>3} {{}}")]
    fn g(n: u8) -> u8 {
        n
    }
    let traces = capture_blocking(|| {
        a();
        b();
        c();
        d(1);
        e();
        f();
        g(2);
    });
    let expected = ["a literal", NAME, names::X, "from a function 1", "joined together", "answer", "step   2 {}"];
    assert_eq!(traces.roots().iter().map(|span| span.name()).collect::<Vec<_>>(), expected);
    assert_eq!(traces.find("answer").kind(), Some("llm"));
}

/// One function for each kind, and a check that the list is the runtime's own.
macro_rules! kinds {
    ($($kind:literal $name:ident),*) => {
        #[test]
        fn op_03_kinds() {
            $(#[traced(type = $kind)]
            fn $name() {})*
            let traces = capture_blocking(|| { $($name();)* });
            let all = [$($kind),*];
            assert_eq!(traces.roots().iter().map(|span| span.kind().unwrap()).collect::<Vec<_>>(), all);
            assert!(all.into_iter().eq(SpanType::ALL.iter().map(|kind| kind.as_str())));
        }
    };
}

kinds!(
    "llm" llm, "score" score, "function" function, "eval" eval, "task" task, "tool" tool, "automation" automation,
    "facet" facet, "preprocessor" preprocessor, "classifier" classifier, "review" review
);

#[test]
fn op_04_the_kind_is_function_unless_said() {
    #[traced]
    fn f() {}
    assert_eq!(capture_blocking(f).find("f").kind(), Some("function"));
}

#[derive(Clone, serde::Serialize)]
struct Request {
    body: String,
    model: &'static str,
}

fn request() -> Request {
    Request { body: "b".to_owned(), model: "m" }
}

#[test]
fn op_05_an_expression_as_input() {
    #[traced(input = req.body)]
    fn f(req: &Request, other: u8) -> usize {
        req.body.len() + usize::from(other)
    }
    assert_eq!(capture_blocking(|| f(&request(), 1)).find("f").input(), Some(&json!("b")));
}

#[test]
fn op_06_a_function_of_the_output() {
    #[traced(output = |r| r.len())]
    fn a(fails: bool) -> Result<String, String> {
        if fails { Err("no".to_owned()) } else { Ok("four".to_owned()) }
    }
    #[traced(output = str::len)]
    async fn b(text: &str) -> &str {
        text
    }
    #[traced(output = |Request { body, .. }: &Request| body)]
    fn c() -> Request {
        request()
    }
    let traces = capture_blocking(|| {
        a(false).unwrap();
        futures::executor::block_on(b("abc"));
        c();
    });
    assert_eq!(traces.find("a").output(), Some(&json!(4)));
    assert_eq!(traces.find("b").output(), Some(&json!(3)));
    assert_eq!(traces.find("c").output(), Some(&json!("b")));
    let traces = capture_blocking(|| a(true).is_err());
    assert_eq!((traces.find("a").output(), traces.find("a").error().as_deref()), (None, Some("no")));
}

#[test]
fn op_06_a_panic_in_the_function_of_the_output_is_contained() {
    #[traced(output = |n| 1 / (n - n))]
    fn f(n: u8) -> u8 {
        n
    }
    let traces = capture_blocking(|| assert_eq!(f(1), 1));
    assert!(traces.find("f").output().unwrap().as_str().unwrap().contains("divide by zero"));
}

#[test]
fn op_07_nothing_of_input_or_output() {
    #[traced(no_input, no_output)]
    fn f(a: u8) -> Result<u8, String> {
        if a == 0 { Err("zero".to_owned()) } else { Ok(a) }
    }
    let traces = capture_blocking(|| f(1).is_ok());
    assert_eq!((traces.find("f").input(), traces.find("f").output()), (None, None));
    let traces = capture_blocking(|| f(0).is_err());
    assert_eq!(traces.find("f").error().as_deref(), Some("zero"));
}

#[test]
fn op_08_choosing_arguments() {
    #[traced(skip(b))]
    fn a(a: u8, b: u8) -> u8 {
        a + b
    }
    #[traced(skip_all)]
    fn b(a: u8, b: u8) -> u8 {
        a + b
    }
    #[traced(capture(b))]
    fn c(a: u8, b: u8) -> u8 {
        a + b
    }
    #[traced(skip_all, redact(a))]
    fn d(a: u8, b: u8) -> u8 {
        a + b
    }
    let traces = capture_blocking(|| a(1, 2) + b(1, 2) + c(1, 2) + d(1, 2));
    assert_eq!(traces.find("a").input(), Some(&json!({"a": 1})));
    assert_eq!(traces.find("b").input(), None);
    assert_eq!(traces.find("c").input(), Some(&json!({"b": 2})));
    assert_eq!(traces.find("d").input(), Some(&json!({"a": "[REDACTED]"})));
}

impl Request {
    #[traced(capture(self))]
    fn shown(&self, n: u8) -> u8 {
        n
    }

    #[traced(metadata(model = self.model, n), skip(self))]
    fn described(&self, n: u8) -> u8 {
        n
    }
}

#[test]
fn op_09_self_on_demand() {
    let traces = capture_blocking(|| request().shown(1));
    assert_eq!(traces.find("shown").input(), Some(&json!({"self": {"body": "b", "model": "m"}})));
}

#[test]
fn op_10_redacted_arguments_are_not_looked_at() {
    struct Bomb;
    impl std::fmt::Debug for Bomb {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("looked at")
        }
    }
    #[traced(redact(key))]
    fn f(key: Bomb, n: u8) -> u8 {
        drop(key);
        n
    }
    let traces = capture_blocking(|| f(Bomb, 1));
    assert_eq!(traces.find("f").input(), Some(&json!({"key": "[REDACTED]", "n": 1})));
}

#[test]
fn op_11_metadata() {
    #[traced(metadata(model = req.model, "x.y" = 2, other))]
    fn f(req: Request, other: u8) -> usize {
        req.body.len() + usize::from(other)
    }
    let traces = capture_blocking(|| f(request(), 3));
    let metadata = traces.find("f").metadata().unwrap().clone();
    assert_eq!((&metadata["model"], &metadata["x.y"], &metadata["other"]), (&json!("m"), &json!(2), &json!(3)));
}

#[test]
fn op_12_metadata_of_self() {
    let traces = capture_blocking(|| request().described(4));
    let metadata = traces.find("described").metadata().unwrap().clone();
    assert_eq!((&metadata["model"], &metadata["n"]), (&json!("m"), &json!(4)));
    assert_eq!(traces.find("described").input(), Some(&json!({"n": 4})));
}

#[test]
fn op_13_parents() {
    #[traced(parent = under)]
    fn f(under: Option<&braintrust::Span>, n: u8) -> u8 {
        n + u8::from(under.is_some())
    }
    #[traced(parent = Parent::root())]
    fn g() {}
    let traces = capture_blocking(|| {
        let one = start_span("one").start();
        start_span("current").start().in_scope(|| {
            f(Some(&one), 1);
            f(None, 2);
            g();
        });
    });
    let parents: Vec<_> = traces
        .find_all("f")
        .iter()
        .map(|span| (span.input().unwrap()["n"].clone(), span.parent().unwrap().name()))
        .collect();
    assert!(parents.contains(&(json!(1), "one")) && parents.contains(&(json!(2), "current")), "{parents:?}");
    assert!(traces.find("g").parent().is_none());
}

#[test]
fn op_14_a_logger_of_its_own() {
    #[traced(logger = logger, skip(logger))]
    fn f(logger: &braintrust::Logger, n: u8) -> u8 {
        n
    }
    let (logger, rows) = memory_logger();
    let others = capture_blocking(|| f(&logger, 1));
    logger.flush_blocking(std::time::Duration::from_secs(60)).unwrap();
    assert!(others.is_empty());
    assert_eq!(rows.traces().find("f").input(), Some(&json!({"n": 1})));
}

#[derive(Debug)]
struct Failure(u8);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "failure {}", self.0)
    }
}

impl Failure {
    fn code(&self) -> u8 {
        self.0
    }
}

#[test]
fn op_15_what_becomes_of_errors() {
    #[traced(err = |e| e.code())]
    fn a() -> Result<(), Failure> {
        Err(Failure(1))
    }
    #[traced(err = debug)]
    fn b() -> Result<(), Failure> {
        Err(Failure(2))
    }
    #[traced(err = display)]
    fn c() -> Result<(), Failure> {
        Err(Failure(3))
    }
    #[traced(err = none)]
    fn d() -> Result<(), Failure> {
        Err(Failure(4))
    }
    #[traced(err = Failure::code)]
    fn e() -> Result<(), Failure> {
        Err(Failure(5))
    }
    let traces = capture_blocking(|| [a(), b(), c(), d(), e()].map(|result| result.is_err()));
    let errors: Vec<_> = traces.roots().iter().map(|span| span.error().map(|error| error.into_owned())).collect();
    let texts = ["1", "Failure(2)", "failure 3"].map(|text| Some(text.to_owned()));
    assert_eq!(errors[..3], texts);
    assert_eq!(errors[3], None);
    assert_eq!(traces.find("d").output(), Some(&json!({"Err": "Failure(4)"})));
    assert_eq!(errors[4].as_deref(), Some("5"));
}

#[test]
fn op_16_values_that_are_errors() {
    #[traced(error_if = |status| *status >= 500)]
    fn f(status: u16) -> u16 {
        status
    }
    let traces = capture_blocking(|| f(200));
    assert_eq!(traces.find("f").error(), None);
    let traces = capture_blocking(|| f(503));
    assert!(traces.find("f").error().unwrap().contains("* status >= 500"));
    assert_eq!(traces.find("f").output(), Some(&json!(503)));
}

#[test]
fn op_17_boxed_futures() {
    async fn plain(big: [u8; 4096]) -> usize {
        std::future::ready(()).await;
        big.len()
    }
    #[traced(no_input)]
    async fn wide(big: [u8; 4096]) -> usize {
        std::future::ready(()).await;
        big.len()
    }
    #[traced(boxed, no_input)]
    async fn typed(big: [u8; 4096]) -> usize {
        std::future::ready(()).await;
        big.len()
    }
    #[traced(boxed = "send", no_input)]
    async fn send(big: [u8; 4096]) -> usize {
        std::future::ready(()).await;
        big.len()
    }
    #[traced(boxed = "local", no_input)]
    async fn local(big: &[u8; 4096]) -> usize {
        let kept = std::rc::Rc::new(big);
        std::future::ready(()).await;
        kept.len()
    }
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let big = [0; 4096];
    let traces = capture_blocking(|| {
        futures::executor::block_on(assert_send(wide(big)));
        futures::executor::block_on(assert_send(typed(big)));
        futures::executor::block_on(assert_send(send(big)));
        futures::executor::block_on(local(&big));
    });
    assert!(traces.spans().iter().all(|span| span.output() == Some(&json!(4096))));
    assert!(size_of_val(&typed(big)) < size_of_val(&plain(big)));
    assert!(size_of_val(&send(big)) < size_of_val(&wide(big)));
}

#[test]
fn op_18_tags() {
    #[traced(tags("a", t, 3))]
    fn f(t: &str) -> usize {
        t.len()
    }
    assert_eq!(capture_blocking(|| f("b")).find("f").tags(), ["a", "b", "3"]);
}

#[test]
fn op_19_options_are_evaluated_in_order_and_only_if_someone_listens() {
    use std::cell::RefCell;
    thread_local!(static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });
    fn see<T>(what: &'static str, value: T) -> T {
        SEEN.with_borrow_mut(|seen| seen.push(what));
        value
    }
    #[traced(
        metadata(m = see("metadata", 1)),
        input = see("input", 1),
        name = see("name", "n"),
        parent = see("parent", Parent::root()),
        output = |_| see("output", 1)
    )]
    fn f() -> u8 {
        see("body", 1)
    }
    capture_blocking(f);
    assert_eq!(SEEN.take(), ["parent", "name", "input", "metadata", "body", "output"]);
    // Beside the capture, no logger takes spans on this thread.
    f();
    assert_eq!(SEEN.take().last(), Some(&"body"));
}

#[test]
fn op_20_a_project_that_no_one_registered_changes_nothing() {
    #[traced(project = "support")]
    fn f() {}
    assert_eq!(capture_blocking(f).len(), 1);
}

/// Names that are near an option, but near none that stands alone; and all others in quotes.
#[test]
fn op_21_words_that_are_names() {
    macro_rules! named {
        ($($name:ident)*) => {{
            let traces = capture_blocking(|| { $({
                #[traced($name)]
                fn f() {}
                f();
            })* });
            assert_eq!(traces.roots().iter().map(|span| span.name()).collect::<Vec<_>>(), [$(stringify!($name)),*]);
        }};
    }
    named!(page game make ship strip stage steam outptu kind agent node notify drop sanitize_input);
    #[traced(tool, type = "llm")]
    fn a() {}
    #[traced("tool")]
    fn b() {}
    #[traced("skip_input")]
    fn c() {}
    #[traced(type = "tool", name = "sensitive")]
    fn d() {}
    let traces = capture_blocking(|| {
        a();
        b();
        c();
        d();
    });
    let names: Vec<_> = traces.roots().iter().map(|span| (span.name(), span.kind().unwrap())).collect();
    assert_eq!(names, [("tool", "llm"), ("tool", "function"), ("skip_input", "function"), ("sensitive", "tool")]);
}

#[test]
fn op_22_names_that_functions_make() {
    fn numbered(n: u8) -> String {
        format!("number {n}")
    }
    #[traced(name = numbered(n))]
    fn a(n: u8) -> u8 {
        n
    }
    #[traced(numbered(n).to_uppercase())]
    fn b(n: u8) -> u8 {
        n
    }
    macro_rules! named_by {
        ($name:ident, $by:expr) => {
            #[traced($by)]
            fn $name() {}
        };
    }
    named_by!(c, numbered(3));
    let traces = capture_blocking(|| {
        a(1);
        b(2);
        c();
    });
    let names: Vec<_> = traces.roots().iter().map(|span| span.name()).collect();
    assert_eq!(names, ["number 1", "NUMBER 2", "number 3"]);
}
