//! The file `.env.braintrust`: the nearest one, from the working directory upwards, and the few variables it may set.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

const NAME: &str = ".env.braintrust";

/// How many folders above the working directory are looked into.
const PARENTS: usize = 64;

/// More than any such file holds; what is larger is something else.
const MAX_BYTES: u64 = 1024 * 1024;

/// The variables that the file may set: who the program is in Braintrust, and where it runs.
pub(super) const ALLOWED: &[&str] = &[
    "BRAINTRUST_API_KEY",
    "BRAINTRUST_API_URL",
    "BRAINTRUST_APP_URL",
    "BRAINTRUST_ENVIRONMENT_NAME",
    "BRAINTRUST_ENVIRONMENT_TYPE",
    "BRAINTRUST_ORG_NAME",
    "BRAINTRUST_PROJECT",
    "BRAINTRUST_PROJECT_ID",
];

/// What a file says.
#[derive(Default)]
pub(super) struct EnvFile {
    values: BTreeMap<String, String>,
    pub(super) warnings: Vec<String>,
}

impl EnvFile {
    /// The value that the file gives `variable`, if it may.
    pub(super) fn value(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }
}

/// The nearest file. It decides even if it is empty or cannot be read: the one of a folder further up is somebody
/// else's.
pub(super) fn nearest() -> EnvFile {
    std::env::current_dir().map(|folder| nearest_to(&folder)).unwrap_or_default()
}

fn nearest_to(folder: &Path) -> EnvFile {
    for folder in folder.ancestors().take(PARENTS + 1) {
        let path = folder.join(NAME);
        match path.metadata() {
            // Not a folder of that name, nor a pipe, which would be waited on for ever.
            Ok(metadata) if metadata.is_file() => return read(&path),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return unreadable(&path, &error),
            _ => {}
        }
    }
    EnvFile::default()
}

fn read(path: &Path) -> EnvFile {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Err(error) => unreadable(path, &error),
        Ok(bytes) if bytes as u64 > MAX_BYTES => unreadable(path, &format!("it has more than {MAX_BYTES} bytes")),
        Ok(_) => parse(&text, path),
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> EnvFile {
    let warning = format!("{} cannot be read ({why}); nothing is taken from it", path.display());
    EnvFile { values: BTreeMap::new(), warnings: vec![warning] }
}

/// Takes what may be taken. A warning names the line only: what stands there may be a secret.
fn parse(text: &str, path: &Path) -> EnvFile {
    let mut file = EnvFile::default();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (assignment, after) = assignment(rest);
        match assignment {
            Assignment::Blank => {}
            Assignment::Is(name, value) if ALLOWED.contains(&name) => {
                file.values.insert(name.to_owned(), value);
            }
            Assignment::Is(..) => {}
            Assignment::Malformed(what) => {
                file.warnings.push(format!("{}, line {line}: {what}; the line is left out", path.display()));
            }
        }
        line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
    }
    file
}

enum Assignment<'a> {
    Blank,
    Is(&'a str, String),
    Malformed(&'static str),
}

/// The assignment at the beginning of `text`, and the text after its line. A value in quotes may span lines.
fn assignment(text: &str) -> (Assignment<'_>, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let statement = line.trim();
    if statement.is_empty() || statement.starts_with('#') {
        return (Assignment::Blank, after);
    }
    let Some(equals) = line.find('=') else { return (Assignment::Malformed("expected NAME=value"), after) };
    let name = line[..equals].trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(name, str::trim);
    if name.is_empty() || name.contains(char::is_whitespace) {
        return (Assignment::Malformed("expected NAME=value"), after);
    }
    let value = text[equals + 1..].trim_start_matches([' ', '\t']);
    match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => match quoted(&value[1..], quote) {
            Some((value, rest)) => (Assignment::Is(name, value), rest.split_once('\n').map_or("", |(_, after)| after)),
            None => (Assignment::Malformed("expected a closing quote"), after),
        },
        None => (Assignment::Is(name, bare(&line[equals + 1..]).to_owned()), after),
    }
}

/// A value without quotes: up to a comment, without the whitespace around it.
fn bare(text: &str) -> &str {
    let comment =
        text.match_indices('#').find(|(at, _)| text[..*at].chars().next_back().is_none_or(char::is_whitespace));
    comment.map_or(text, |(at, _)| &text[..at]).trim()
}

/// A value up to its closing quote, and what follows. Nothing is put in place of `$NAME`; between double quotes, `\n`,
/// `\r`, `\t` and escaped quotes and backslashes are what they are elsewhere.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Some((value, &text[at + 1..])),
            '\\' if quote == '"' => match characters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                escaped @ ('"' | '\\') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn parsed(text: &str) -> EnvFile {
        parse(text, Path::new(NAME))
    }

    fn project(text: &str) -> Option<String> {
        let file = parsed(text);
        assert_eq!(file.warnings, [""; 0], "{text:?}");
        file.value("BRAINTRUST_PROJECT").map(str::to_owned)
    }

    /// A folder with `a/b` in it, for one test.
    fn folder() -> TempDir {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        folder
    }

    #[test]
    fn values_are_read_as_shells_and_dotenv_write_them() {
        for (text, value) in [
            ("BRAINTRUST_PROJECT=plain", "plain"),
            ("\u{feff}BRAINTRUST_PROJECT=plain\r\nX=1", "plain"),
            ("# first\n\n  export  BRAINTRUST_PROJECT = spaced out  # why", "spaced out"),
            ("BRAINTRUST_PROJECT=a#b", "a#b"),
            ("BRAINTRUST_PROJECT='  # $HOME \\n ' # why", "  # $HOME \\n "),
            (r#"BRAINTRUST_PROJECT="a \"b\" \\ $HOME\tc" "#, "a \"b\" \\ $HOME\tc"),
            ("BRAINTRUST_PROJECT=\"two\nlines\"\nX=1", "two\nlines"),
            ("BRAINTRUST_PROJECT=first\nBRAINTRUST_PROJECT=second", "second"),
            ("BRAINTRUST_PROJECT=", ""),
            ("BRAINTRUST_PROJECT=# nothing", ""),
        ] {
            assert_eq!(project(text).as_deref(), Some(value), "{text:?}");
        }
        assert_eq!(project("exportBRAINTRUST_PROJECT=x"), None);
    }

    #[test]
    fn a_malformed_line_is_named_by_its_number_alone_and_the_others_count() {
        let file = parsed("sk-secret\nBRAINTRUST_ORG_NAME=\"acme\n\nBRAINTRUST_PROJECT=p");
        assert_eq!(
            file.warnings,
            [
                ".env.braintrust, line 1: expected NAME=value; the line is left out",
                ".env.braintrust, line 2: expected a closing quote; the line is left out",
            ]
        );
        assert_eq!(file.value("BRAINTRUST_PROJECT"), Some("p"));
    }

    #[test]
    fn only_some_variables_may_be_set() {
        let file = parsed("BRAINTRUST_SYNC_FLUSH=1\nPATH=/tmp\nBRAINTRUST_API_KEY=sk-1");
        assert_eq!(file.values.len(), 1);
        assert_eq!(file.value("BRAINTRUST_API_KEY"), Some("sk-1"));
    }

    #[test]
    fn the_nearest_file_decides_even_if_it_is_empty() {
        let scratch = folder();
        let folder = scratch.path();
        fs::write(folder.join(NAME), "BRAINTRUST_PROJECT=far").unwrap();
        assert_eq!(nearest_to(&folder.join("a/b")).value("BRAINTRUST_PROJECT"), Some("far"));
        // A folder of that name is no file.
        fs::create_dir(folder.join("a").join(NAME)).unwrap();
        assert_eq!(nearest_to(&folder.join("a/b")).value("BRAINTRUST_PROJECT"), Some("far"));
        fs::write(folder.join("a/b").join(NAME), "").unwrap();
        assert_eq!(nearest_to(&folder.join("a/b")).value("BRAINTRUST_PROJECT"), None);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_warning_and_decides() {
        let scratch = folder();
        let folder = scratch.path();
        fs::write(folder.join(NAME), "BRAINTRUST_PROJECT=far").unwrap();
        fs::write(folder.join("a").join(NAME), b"BRAINTRUST_PROJECT=\xff").unwrap();
        let file = nearest_to(&folder.join("a/b"));
        assert_eq!(file.value("BRAINTRUST_PROJECT"), None);
        assert!(file.warnings[0].contains("cannot be read"), "{:?}", file.warnings);
        fs::write(folder.join("a").join(NAME), vec![b'#'; MAX_BYTES as usize + 1]).unwrap();
        assert!(nearest_to(&folder.join("a/b")).warnings[0].contains("more than 1048576 bytes"));
    }

    #[test]
    fn folders_too_far_up_are_not_looked_into() {
        let scratch = folder();
        let folder = scratch.path();
        fs::write(folder.join(NAME), "BRAINTRUST_PROJECT=far").unwrap();
        let within = (0..PARENTS).fold(folder.to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(within.join("d")).unwrap();
        assert_eq!(nearest_to(&within).value("BRAINTRUST_PROJECT"), Some("far"));
        assert_eq!(nearest_to(&within.join("d")).value("BRAINTRUST_PROJECT"), None);
    }
}
