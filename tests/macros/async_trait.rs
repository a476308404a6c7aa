//! AT: methods under `#[async_trait]` and its like.

use std::fmt::Debug;

use async_trait::async_trait;
use braintrust::testing::capture_blocking;
use braintrust::traced;
use futures::executor::block_on;
use serde_json::json;

#[async_trait]
trait Tool {
    async fn run(&self, query: &str) -> Result<String, String>;

    #[traced]
    async fn dflt(&self, n: u8) -> u8 {
        std::future::ready(n + 1).await
    }

    async fn with_pattern(&self, pair: (u8, u8), mut list: Vec<u8>) -> u8;

    async fn generic<T: Debug + Send + 'static>(&self, value: T) -> usize;

    async fn stat(n: u8) -> u8
    where
        Self: Sized;

    async fn by_value(self, n: u8) -> u8
    where
        Self: Sized;
}

#[derive(serde::Serialize)]
struct Search {
    hits: u8,
}

#[traced]
fn helper() -> u8 {
    1
}

#[async_trait]
impl Tool for Search {
    #[traced]
    async fn run(&self, query: &str) -> Result<String, String> {
        std::future::ready(()).await;
        helper();
        if query.is_empty() {
            return Err("empty".into());
        }
        Ok(format!("{query}{}", self.hits))
    }

    #[traced]
    async fn with_pattern(&self, (a, b): (u8, u8), mut list: Vec<u8>) -> u8 {
        list.push(a);
        list.len() as u8 + b
    }

    #[traced]
    async fn generic<T: Debug + Send + 'static>(&self, value: T) -> usize {
        format!("{value:?}").len()
    }

    #[traced]
    async fn stat(n: u8) -> u8 {
        n
    }

    #[traced]
    async fn by_value(self, n: u8) -> u8 {
        self.hits + n
    }
}

#[test]
fn at_01_the_span_is_lazy_and_has_the_result() {
    let traces = capture_blocking(|| {
        let search = Search { hits: 3 };
        drop(search.run("never polled"));
        block_on(search.run("q")).unwrap();
    });
    assert_eq!(traces.find_all("run").len(), 1);
    let span = traces.find("run");
    assert_eq!(span.input(), Some(&json!({"query": "q"})));
    assert_eq!(span.output(), Some(&json!("q3")));
    assert_eq!(traces.find("helper").parent().unwrap().name(), "run");
    let traces = capture_blocking(|| block_on(Search { hits: 3 }.run("")).is_err());
    assert_eq!(traces.find("run").error().as_deref(), Some("empty"));
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self, kept: std::rc::Rc<u8>) -> u8;
}

#[async_trait(?Send)]
impl Local for Search {
    #[traced]
    async fn local(&self, kept: std::rc::Rc<u8>) -> u8 {
        std::future::ready(()).await;
        *kept
    }
}

#[test]
fn at_02_all_kinds_of_methods() {
    let traces = capture_blocking(|| {
        let search = Search { hits: 3 };
        block_on(search.dflt(1));
        block_on(search.generic(Some(1)));
        block_on(Search::stat(4));
        block_on(search.local(std::rc::Rc::new(5)));
        block_on(search.by_value(2));
    });
    assert_eq!(traces.find("dflt").output(), Some(&json!(2)));
    assert_eq!(traces.find("dflt").input(), Some(&json!({"n": 1})));
    assert_eq!(traces.find("generic").input(), Some(&json!({"value": "Some(1)"})));
    assert_eq!(traces.find("stat").output(), Some(&json!(4)));
    assert_eq!(traces.find("local").output(), Some(&json!(5)));
    assert_eq!(traces.find("local").input(), Some(&json!({"kept": 5})));
    assert_eq!(traces.find("by_value").output(), Some(&json!(5)));
}

#[test]
fn at_03_patterns_are_keyed_by_their_names() {
    let traces = capture_blocking(|| block_on(Search { hits: 0 }.with_pattern((1, 2), vec![9])));
    assert_eq!(traces.find("with_pattern").input(), Some(&json!({"a": 1, "b": 2, "list": [9]})));
    assert_eq!(traces.find("with_pattern").output(), Some(&json!(4)));
}

#[async_trait]
trait Chosen {
    async fn chosen(&self, key: &str, n: u8) -> u8;
}

#[async_trait]
impl Chosen for Search {
    #[traced("chosen {n}", capture(self), redact(key), metadata(n, hits = self.hits))]
    async fn chosen(&self, key: &str, n: u8) -> u8 {
        key.len() as u8 + n
    }
}

#[test]
fn options_see_self_and_arguments() {
    let traces = capture_blocking(|| block_on(Search { hits: 3 }.chosen("secret", 2)));
    let span = traces.find("chosen 2");
    assert_eq!(span.input(), Some(&json!({"self": {"hits": 3}, "key": "[REDACTED]"})));
    assert_eq!(span.metadata().unwrap()["hits"], json!(3));
    assert_eq!(span.metadata().unwrap()["n"], json!(2));
}

#[trait_variant::make(SendAgent: Send)]
trait Agent {
    async fn act(&self, n: u8) -> u8;
}

impl SendAgent for Search {
    #[traced]
    async fn act(&self, n: u8) -> u8 {
        std::future::ready(n).await + self.hits
    }
}

#[test]
fn at_06_trait_variant_stays_send() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let traces = capture_blocking(|| {
        block_on(assert_send(SendAgent::act(&Search { hits: 1 }, 2)));
        block_on(Agent::act(&Search { hits: 1 }, 4))
    });
    let outputs: Vec<_> = traces.find_all("act").iter().map(|span| span.output().unwrap().clone()).collect();
    assert_eq!(outputs, [3, 5]);
}
