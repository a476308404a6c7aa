//! What the compiler says: about mistakes in the attribute, and about the user's own mistakes below it.
//!
//! The texts are those of one compiler, so they are checked with that one alone; `TRYBUILD=overwrite` renews them.

#[test]
fn messages() {
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/macros/ui/*.rs");
}
