//! Data flows one way: no module of the runtime uses one that uses it. And what is public is decided in the facade.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_two_modules_use_each_other() {
    let graph = module_graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join("braintrust-core/src"));
    assert!(graph["logger"].contains("export") && graph["export"].contains("sink"), "edges are found: {graph:?}");
    for module in graph.keys() {
        if let Some(path) = way_back(&graph, module) {
            panic!("modules use each other in a circle: {}", path.join(" -> "));
        }
    }
}

#[test]
fn spans_know_no_sink_and_sinks_no_span() {
    let graph = module_graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join("braintrust-core/src"));
    let reach = |from: &str| reachable(&graph, from);
    for (from, never) in
        [("span", "sink"), ("span", "export"), ("sink", "span"), ("sink", "context"), ("record", "sink")]
    {
        assert!(!reach(from).contains(never), "`{from}` must not depend on `{never}`: {graph:?}");
    }
}

#[test]
fn every_module_is_told_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let rows: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next()).collect();
    for module in module_graph(&root.join("braintrust-core/src")).keys() {
        let name = format!("{module}`");
        assert!(rows.iter().any(|row| row.split(", `").any(|first| first.starts_with(&name))), "`{module}` has no row");
    }
}

#[test]
fn the_facade_names_what_it_re_exports() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules: Vec<_> =
        rust_files(&root.join("braintrust-core/src")).iter().flat_map(|file| public_modules(file)).collect();
    let paths = reexported_paths(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    let has = |path: &str| paths.iter().any(|found| found == path);
    assert!(has("braintrust_core::init_logger") && has("braintrust_core::llm::detect"), "paths are found: {paths:?}");
    for module in ["llm", "testing", "thread"] {
        assert!(modules.iter().any(|found| found == module), "modules are found: {modules:?}");
    }
    // `settings` is a page without items, and `__private` is not for users.
    let wholes = modules.iter().filter(|module| !["settings", "__private"].contains(&module.as_str()));
    let whole = wholes.map(|module| format!("braintrust_core::{module}")).find(|path| has(path));
    let whole = whole.or_else(|| paths.iter().find(|path| path.ends_with('*')).cloned());
    assert_eq!(whole, None, "makes all that is `pub` in it API; name what is");
}

#[test]
fn examples_in_docs_name_what_users_have() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = ["braintrust-core/src", "integrations/braintrust-openai/src", "integrations/braintrust-reqwest/src"];
    for file in crates.iter().flat_map(|source| rust_files(&root.join(source))) {
        let text = fs::read_to_string(&file).unwrap();
        let docs = text.lines().filter(|line| line.trim_start().starts_with("//"));
        let inner = ["braintrust_core", "braintrust_openai", "braintrust_reqwest"];
        let line = docs.into_iter().find(|line| inner.iter().any(|name| line.contains(name)));
        assert_eq!(line, None, "{}: say `braintrust::..`", file.display());
    }
}

/// The modules that a file declares as public.
fn public_modules(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let declared = text.lines().filter_map(|line| line.trim().strip_prefix("pub mod "));
    declared.map(|rest| rest.trim_end_matches([';', ' ', '{', '}']).to_owned()).collect()
}

/// Every path in a `pub use`, in full.
fn reexported_paths(source: &str) -> Vec<String> {
    let statements = source.split("pub use ").skip(1).map(|rest| rest.split(';').next().unwrap());
    let paths = statements.flat_map(|statement| {
        let (prefix, names) = statement.split_once('{').unwrap_or(("", statement));
        names
            .split([',', '}'])
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(move |name| format!("{prefix}{name}"))
    });
    paths.collect()
}

/// Which top-level modules each top-level module names.
fn module_graph(source: &Path) -> Graph {
    let owners = reexports(&fs::read_to_string(source.join("lib.rs")).unwrap());
    let mut graph = Graph::new();
    for file in rust_files(source) {
        let module = module_of(&file, source);
        if module == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let edges = graph.entry(module.clone()).or_default();
        for name in names_after_crate(&text) {
            let used = owners.get(&name).cloned().unwrap_or(name);
            if used != module {
                edges.insert(used);
            }
        }
    }
    let modules: BTreeSet<_> = graph.keys().cloned().collect();
    graph.values_mut().for_each(|edges| edges.retain(|edge| modules.contains(edge)));
    graph
}

/// The names that `lib.rs` re-exports, with the modules that they come from.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for statement in lib.split(';').filter_map(|part| part.split_once("pub use ").map(|(_, rest)| rest)) {
        if let Some((module, names)) = statement.split_once("::") {
            let names = names.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty());
            owners.extend(names.map(|name| (name.to_owned(), module.to_owned())));
        }
    }
    owners
}

/// The first path segments after every `crate::`, those in braces included. Comments, where docs may link to anything,
/// and tests do not count.
fn names_after_crate(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |inner| inner.split("};").next().unwrap());
        let items: Vec<_> = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for item in items {
            let name: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.push(name);
        }
    }
    names
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs"))
        .collect()
}

fn module_of(file: &Path, source: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn reachable(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(module) = open.pop() {
        for next in graph.get(&module).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

/// A way from a module back to itself.
fn way_back(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut paths = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        for next in graph.get(path.last()?).into_iter().flatten() {
            let longer = [path.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                paths.push(longer);
            }
        }
    }
    None
}
