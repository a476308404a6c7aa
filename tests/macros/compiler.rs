//! What takes another run of a compiler: editions, lints, documentation, and panics that abort.

use std::ffi::OsStr;
use std::fs::{self, create_dir_all, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The libraries that this test was linked with, found beside it.
struct Libraries {
    folder: PathBuf,
    braintrust: PathBuf,
    futures: PathBuf,
}

const PROBE: &str =
    "#[braintrust::traced] pub fn probe() -> impl futures::Stream<Item = u8> { futures::stream::iter([1]) }
    pub fn wait() { futures::executor::block_on(async {}) }";

/// One of the newest builds of `braintrust` and a build of `futures` that go together.
fn libraries() -> &'static Libraries {
    static FOUND: OnceLock<Libraries> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let builds = |prefix: &str| {
            let mut builds: Vec<_> = fs::read_dir(&folder)
                .unwrap()
                .map(|file| file.unwrap().path())
                .filter(|path| path.extension() == Some(OsStr::new("rlib")))
                .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
                .collect();
            builds.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().modified().unwrap()));
            builds
        };
        for braintrust in builds("libbraintrust-") {
            for futures in builds("libfutures-") {
                let found = Libraries { folder: folder.clone(), braintrust: braintrust.clone(), futures };
                let mut probe = found.tool("rustc", "2024");
                probe.args(["--crate-type=lib", "--emit=metadata"]).arg(source("probe", PROBE));
                if probe.output().unwrap().status.success() {
                    return found;
                }
            }
        }
        panic!("{} has no libraries that go together", folder.display());
    })
}

impl Libraries {
    /// A tool that came with the compiler, about to read a library of that edition.
    fn tool(&self, name: &str, edition: &str) -> Command {
        let tools = Path::new(env!("CARGO")).parent().unwrap();
        let mut tool = Command::new(tools.join(name));
        tool.args(["--edition", edition, "--sysroot"]).arg(tools.parent().unwrap());
        tool.arg("-L").arg(format!("dependency={}", self.folder.display()));
        tool.arg("--extern").arg(format!("braintrust={}", self.braintrust.display()));
        tool.arg("--extern").arg(format!("futures={}", self.futures.display()));
        tool.current_dir(folder());
        tool
    }
}

/// Where these tests leave what they make.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("macros-compiler");
    create_dir_all(&folder).unwrap();
    folder
}

fn source(name: &str, text: &str) -> PathBuf {
    let path = folder().join(format!("{name}.rs"));
    // Another process may run another of these tests.
    let unfinished = path.with_extension(std::process::id().to_string());
    fs::write(&unfinished, text).unwrap();
    fs::rename(&unfinished, &path).unwrap();
    path
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the compiler says, if it is not pleased.
fn compile(tool: &str, edition: &str, path: &Path, name: &str) -> Result<(), String> {
    let mut tool = libraries().tool(tool, edition);
    let output = tool.args(["--crate-type=lib", "--emit=metadata", "--crate-name", name]).arg(path).output();
    let output = output.unwrap_or_else(|error| panic!("is {:?} installed? {error}", tool.get_program()));
    if output.status.success() { Ok(()) } else { Err(stderr(&output)) }
}

/// Without its tags, and with single spaces.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&#39;", "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn ar_08_the_documentation_shows_what_the_user_wrote() {
    let functions = [
        (
            "changes",
            "pub fn changes(mut list: Vec<u8>, mut n: u8) -> usize { list.push(n); n += 1; list.len() + n as usize }",
        ),
        ("later", "pub async fn later(mut list: Vec<u8>) -> usize { list.push(1); list.len() }"),
        ("patterns", "pub fn patterns(Pair { x, y: why }: Pair, (a, _): (u8, u8)) -> u8 { x + why + a }"),
        ("patterns_later", "pub async fn patterns_later((mut a, b): (u8, u8), _: u8) -> u8 { a += b; a }"),
        (
            "generic",
            "pub fn generic<'a, T: Clone, const N: usize>(values: &'a [T; N], _n: u8) -> impl Iterator<Item = &'a T>
             where T: Send { values.iter() }",
        ),
    ];
    let docs = |kind: &str, attribute: &str| {
        let pair = "pub struct Pair { pub x: u8, pub y: u8 }";
        let functions_of_kind = functions.map(|(_, function)| format!("{attribute}\n{function}\n")).concat();
        let mut rustdoc = libraries().tool("rustdoc", "2024");
        let out = folder().join(kind);
        rustdoc
            .args(["--crate-type=lib", "--crate-name", "docs", "-o"])
            .arg(&out)
            .arg(source(kind, &format!("{pair}\n{functions_of_kind}")));
        let output = rustdoc.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        functions.map(|(name, _)| {
            let html = read_to_string(out.join(format!("docs/fn.{name}.html"))).unwrap();
            let from = html.find("<pre class=\"rust item-decl\">").unwrap();
            text(&html[from..from + html[from..].find("</pre>").unwrap()])
        })
    };
    let traced = docs("docs_traced", "#[braintrust::traced]");
    assert_eq!(traced, docs("docs_plain", ""));
    assert_eq!(traced[0], "pub fn changes(list: Vec<u8>, n: u8) -> usize");
    assert_eq!(traced[1], "pub async fn later(list: Vec<u8>) -> usize");
    // It has a placeholder for patterns of structs.
    assert_eq!(traced[2], "pub fn patterns(_: Pair, (a, _): (u8, u8)) -> u8");
}

#[test]
fn pn_06_a_panic_that_aborts_is_only_that() {
    let program = r#"
        use braintrust::{Logger, traced};

        #[traced]
        fn before() -> u8 {
            1
        }

        #[traced]
        fn dies(logger: &Logger) -> u8 {
            before();
            logger.flush_blocking(std::time::Duration::from_secs(60)).unwrap();
            panic!("the end")
        }

        #[traced]
        async fn dies_later(logger: &Logger) -> u8 {
            std::future::ready(()).await;
            dies(logger)
        }

        fn main() {
            let arguments: Vec<_> = std::env::args().collect();
            let logger = Logger::builder().project("test").local_folder(&arguments[1]).build().unwrap();
            logger.install();
            if arguments[2] == "later" {
                futures::executor::block_on(dies_later(&logger));
            } else {
                dies(&logger);
            }
        }
    "#;
    let binary = folder().join(format!("aborts{}", std::env::consts::EXE_SUFFIX));
    let mut rustc = libraries().tool("rustc", "2024");
    rustc.args(["-Cpanic=abort", "-o"]).arg(&binary);
    let output = rustc.arg(source("aborts", program)).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));

    for how in ["sync", "later"] {
        let traces = folder().join(format!("aborted-{how}"));
        let _ = fs::remove_dir_all(&traces);
        let output = Command::new(&binary).arg(&traces).arg(how).env("RUST_BACKTRACE", "0").output().unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(6)); // SIGABRT
        assert!(!output.status.success());
        let stderr = stderr(&output);
        assert_eq!(stderr.matches("panicked at").count(), 1, "{stderr}");
        assert!(stderr.contains("the end"), "{stderr}");
        let traces = braintrust::local::read(&traces).unwrap();
        assert!(traces.find("before").is_finished());
        assert_eq!(traces.skipped_lines(), 0);
        assert!(traces.spans().iter().filter(|span| span.name() != "before").all(|span| !span.is_finished()));
    }
}

/// Whether a program compiles, or why not, is the same with the attribute as without it.
#[test]
fn ed_02_the_same_programs_compile_in_each_edition() {
    // What an `impl Trait` captures decides how long a caller may keep it.
    let capture = "
        ATTRIBUTE fn length(text: &str) -> impl Copy + Into<usize> { text.len() as u8 }
        pub fn outlives() -> usize { let length = { let text = String::from(\"abc\"); length(&text) }; length.into() }";
    // When temporaries of the last expression die decides whether they may borrow from locals.
    let temporaries = "
        ATTRIBUTE pub fn last() -> usize { let list = std::cell::RefCell::new(vec![1]); list.borrow().len() }";
    let temporaries_later = "
        ATTRIBUTE pub async fn last() -> usize { let list = std::cell::RefCell::new(vec![1]); list.borrow().len() }";
    // In every edition they die before the arguments.
    let arguments = "
        use std::sync::Mutex;
        ATTRIBUTE pub fn last(list: Mutex<Vec<u8>>) -> usize { list.lock().unwrap().len() }
        ATTRIBUTE pub async fn later(list: Mutex<Vec<u8>>) -> usize { list.lock().unwrap().len() }";
    let programs = [
        ("capture", capture, [true, false]),
        ("temporaries", temporaries, [false, true]),
        ("temporaries_later", temporaries_later, [false, true]),
        ("arguments", arguments, [true, true]),
    ];
    let code = |outcome: Result<(), String>| {
        outcome.map_err(|error| error.split_once("error[").map_or(error.clone(), |(_, code)| code[..5].to_owned()))
    };
    for (name, program, compiles) in programs {
        for (edition, compiles) in ["2021", "2024"].into_iter().zip(compiles) {
            let [plain, traced] = [("plain", ""), ("traced", "#[braintrust::traced]")].map(|(kind, attribute)| {
                let name = format!("{name}_{kind}_{edition}");
                code(compile("rustc", edition, &source(&name, &program.replace("ATTRIBUTE", attribute)), &name))
            });
            assert_eq!(plain.is_ok(), compiles, "{name} in {edition}: {plain:?}");
            assert_eq!(traced, plain, "{name} in {edition}");
        }
    }
}

/// The crates of `editions`, whose lints are denied, under clippy.
#[test]
fn ed_01_li_06_li_07_li_09_every_shape_in_every_edition_without_a_lint() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/macros/editions");
    for edition in ["2018", "2021", "2024"] {
        let root = crates.join(format!("e{edition}/src/lib.rs"));
        if let Err(lints) = compile("clippy-driver", edition, &root, &format!("shapes_{edition}")) {
            panic!("edition {edition}: {lints}");
        }
    }
}

/// The test above would find lints: it does so in what the user wrote.
#[test]
fn ed_01_li_06_li_07_li_09_lints_in_what_the_user_wrote_are_found() {
    for (name, edition, lint, functions, says) in [
        (
            "underscore",
            "2024",
            "clippy::used_underscore_binding",
            "#[braintrust::traced] pub fn f(_b: u8) {} pub fn g(_b: u8) -> u8 { _b }",
            "used underscore-prefixed binding",
        ),
        (
            "equality",
            "2021",
            "clippy::all",
            "#[braintrust::traced] pub fn f(b: bool) -> bool { b == true }",
            "equality checks against true are unnecessary",
        ),
        (
            "keyword",
            "2018",
            "rust_2024_compatibility",
            "#[braintrust::traced] pub fn f() -> u8 { let gen = 1; gen }",
            "`gen` is a keyword",
        ),
    ] {
        let path = source(name, &format!("#![deny({lint})]\n{functions}"));
        let lints = compile("clippy-driver", edition, &path, name).unwrap_err();
        assert!(lints.contains(says), "{lints}");
    }
}

/// Where lints are forbidden, an `allow` of them would itself be an error. (Async functions that never return need one.)
#[test]
fn li_08_nothing_is_allowed_on_behalf_of_the_user() {
    let program = "
        #![forbid(warnings, unsafe_code, unreachable_code, unused_variables, unused_mut, unused_parens, dead_code)]
        #![forbid(clippy::all, clippy::pedantic)]
        //! Forbidden.
        use braintrust::traced;
        /// Documented.
        #[traced] #[must_use] pub fn sync(mut list: Vec<u8>, (a, _b): (u8, u8), _: u8) -> usize { list.push(a); list.len() }
        /// Documented.
        #[traced] pub async fn later(mut list: Vec<u8>, _b: u8) -> usize { std::future::ready(()).await; list.push(1); list.len() }
        /// Documented.
        #[traced] #[must_use] pub fn diverges() -> u8 { std::process::exit(1) }
        /// Documented.
        #[traced] pub async fn diverges_later() -> u8 { std::process::exit(1) }
        /// Documented.
        #[traced] pub fn never() -> ! { std::process::exit(1) }
        /// Documented.
        #[traced] #[track_caller] #[must_use] pub fn tracked(n: u8) -> u8 { if n == 0 { return 1; } n }
        /// Documented.
        #[traced] pub fn future(n: u8) -> impl Future<Output = u8> { async move { n } }
        /// Documented.
        #[traced] pub fn stream(n: u8) -> impl futures::Stream<Item = u8> { futures::stream::iter(0..n) }
        /// Documented.
        /// # Errors
        /// Always.
        #[traced(\"{n}\", input = n, metadata(n), output = |r| *r, err = debug)]
        pub async fn fails(n: u8) -> Result<u8, String> { Err(n.to_string())? }
    ";
    for tool in ["rustc", "clippy-driver"] {
        if let Err(lints) = compile(tool, "2024", &source("forbid", program), "forbid") {
            panic!("{tool}: {lints}");
        }
    }
}

/// With optimisations an intrinsic is one instruction: where the feature is off it would stay a call.
#[cfg(target_arch = "x86_64")]
#[test]
fn sh_24_intrinsics_are_inlined_into_the_body() {
    let program = r#"
        use std::arch::x86_64::{__m256i, _mm256_add_epi32};

        #[target_feature(enable = "avx2")]
        ATTRIBUTE
        pub unsafe fn sync(a: __m256i, b: __m256i) -> __m256i {
            _mm256_add_epi32(a, b)
        }

        #[target_feature(enable = "avx2")]
        ATTRIBUTE
        pub async unsafe fn later(a: __m256i, b: __m256i) -> __m256i {
            std::future::ready(()).await;
            _mm256_add_epi32(a, b)
        }

        #[unsafe(no_mangle)]
        #[target_feature(enable = "avx2")]
        pub unsafe fn poll(a: __m256i, b: __m256i) {
            futures::executor::block_on(unsafe { later(a, b) });
        }
    "#;
    for (kind, attribute) in [("plain", ""), ("traced", "#[braintrust::traced(skip_all, no_output)]")] {
        let name = format!("intrinsics_{kind}");
        let mut rustc = libraries().tool("rustc", "2024");
        rustc.args(["--crate-type=lib", "--emit=asm", "-O", "-Ccodegen-units=1", "-o"]);
        let assembly = folder().join(format!("{name}.s"));
        let output =
            rustc.arg(&assembly).arg(source(&name, &program.replace("ATTRIBUTE", attribute))).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let assembly = read_to_string(assembly).unwrap();
        assert!(assembly.contains("vpaddd"), "{kind}");
        let calls: Vec<_> = assembly.lines().filter(|line| line.contains("_mm256_add_epi32")).collect();
        assert!(calls.is_empty(), "{kind}: {calls:?}");
    }
}

#[test]
fn sh_27_a_const_fn_is_the_only_error_and_still_there() {
    let program = "#[braintrust::traced] pub const fn f() -> u8 { 1 } pub const USED: u8 = f();";
    let errors = compile("rustc", "2024", &source("constant", program), "constant").unwrap_err();
    let errors: Vec<_> = errors.lines().filter(|line| line.starts_with("error")).collect();
    let [error, "error: aborting due to 1 previous error"] = errors[..] else { panic!("{errors:?}") };
    assert!(
        error.starts_with("error: `const fn` cannot be traced: a span needs the clock and the allocator"),
        "{error}"
    );
}
