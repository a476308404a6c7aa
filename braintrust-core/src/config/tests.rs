//! The page of settings against the code: what is read is documented, and the reverse.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Settings;

const PAGE: &str = include_str!("../settings.md");
const BUILDER: &str = include_str!("../logger/builder.rs");

/// The cells of the page's tables that stand between backticks, or as they are: variable, whether the file may have
/// it, and method.
fn rows() -> Vec<(Option<&'static str>, bool, &'static str)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `BRAINTRUST_") || line.starts_with("| none"));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [variable, _, _, method] = cells[..] else { panic!("four cells: {line}") };
        let in_file = variable.ends_with('*');
        let variable = variable.trim_end_matches([' ', '*']);
        let variable = (variable != "none").then(|| variable.trim_matches('`'));
        (variable, in_file, method.trim_matches('`'))
    })
    .collect()
}

#[test]
fn every_variable_that_is_read_is_on_the_page_and_the_reverse() {
    let asked = RefCell::new(BTreeSet::new());
    Settings::from_lookup(|variable| {
        asked.borrow_mut().insert(variable.to_owned());
        None
    });
    let asked = asked.into_inner().into_iter().filter(|variable| variable.starts_with("BRAINTRUST_"));
    let documented: BTreeSet<_> = rows().into_iter().filter_map(|(variable, ..)| variable).map(str::to_owned).collect();
    assert_eq!(asked.collect::<BTreeSet<_>>(), documented);
}

#[test]
fn the_file_may_have_what_the_page_says() {
    let documented = rows().into_iter().filter(|(_, in_file, _)| *in_file).filter_map(|(variable, ..)| variable);
    assert_eq!(documented.collect::<BTreeSet<_>>(), super::env_file::ALLOWED.iter().copied().collect());
}

#[test]
fn every_method_on_the_page_exists_and_every_setting_of_the_builder_is_on_the_page() {
    let documented: BTreeSet<_> = rows().into_iter().map(|(.., method)| method).collect();
    let existing = BUILDER.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")?.split(['(', '<']).next());
    // What is no setting of its own.
    let existing = existing.filter(|method| !["build", "local_folder", "without_spool"].contains(method));
    assert_eq!(documented, existing.collect());
}

/// A default on the page is what the code does without the variable: giving it changes nothing, and malforms nothing.
#[test]
fn the_defaults_on_the_page_are_those_of_the_code() {
    let bare = format!("{:?}", Settings::from_lookup(|_| None));
    let mut checked = 0;
    for line in PAGE.lines().filter(|line| line.starts_with("| `BRAINTRUST_")) {
        let cells: Vec<_> = line.split(" | ").collect();
        let variable = cells[0].trim_matches(['|', ' ', '*', '`']);
        let default = cells[1].split(" (").next().unwrap().trim_matches('`');
        let is_value = !default.contains(' ') && default != "none" && default != "Global";
        if !is_value {
            continue;
        }
        let given = Settings::from_lookup(|name| (name == variable).then(|| default.to_owned()));
        assert_eq!(format!("{given:?}"), bare, "{variable}");
        checked += 1;
    }
    assert_eq!(checked, 18, "defaults that are values");
}
