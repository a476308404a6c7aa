//! Hiding parts of rows before they go anywhere.
//!
//! A program says what to hide as [`MaskRules`]; a [`Mask`] is those rules made ready, and masks one row at a time. What
//! cannot be masked does not go out: an error text takes its place.

mod any_case;
mod field;
mod function;
mod names;
mod row;
mod shapes;

use std::fmt;

pub use field::MaskedField;

use self::field::Content;
use self::function::Function;
use self::names::Names;
use self::row::{Failed, MaskedRow};
use self::shapes::Secrets;
use crate::open_row::{Unreadable, members};
use crate::secret::ApiKey;

/// What a program wants hidden, in the order in which it said so.
#[derive(Clone, Debug, Default)]
pub(crate) struct MaskRules(Vec<Rule>);

#[derive(Clone)]
enum Rule {
    Secrets,
    Names(Vec<String>),
    Function(Function),
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secrets => f.write_str("Secrets"),
            Self::Names(names) => f.debug_tuple("Names").field(names).finish(),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

impl MaskRules {
    /// Has keys, tokens and passwords hidden wherever they are recognised.
    pub(crate) fn add_secrets(&mut self) {
        self.0.push(Rule::Secrets);
    }

    /// Has the values of entries with these names hidden.
    pub(crate) fn add_names(&mut self, names: Vec<String>) {
        self.0.push(Rule::Names(names));
    }

    /// Has each field passed through `function`.
    pub(crate) fn add_function(
        &mut self,
        function: impl Fn(MaskedField, &mut serde_json::Value) + Send + Sync + 'static,
    ) {
        self.0.push(Rule::Function(Function::new(function)));
    }

    /// The rules made ready, for a logger that sends with `own_key`; nothing if there are none.
    pub(crate) fn prepare(self, own_key: Option<&ApiKey>) -> Option<Mask> {
        let steps: Vec<_> = self.0.into_iter().flat_map(|rule| rule.steps(own_key)).collect();
        (!steps.is_empty()).then_some(Mask { steps })
    }
}

impl Rule {
    fn steps(self, own_key: Option<&ApiKey>) -> Vec<Step> {
        match self {
            Self::Secrets => vec![Step::Secrets(Secrets::new(own_key)), Step::Names(Names::common())],
            Self::Names(names) => vec![Step::Names(Names::exactly(names.iter().map(String::as_str)))],
            Self::Function(function) => vec![Step::Function(function)],
        }
    }
}

/// Masks the rows of one logger.
pub(crate) struct Mask {
    steps: Vec<Step>,
}

enum Step {
    Secrets(Secrets),
    Names(Names),
    Function(Function),
}

impl Mask {
    /// Whether `text`, of one row or of several, holds nothing that this mask could change: a cheap look that spares
    /// most rows the rest.
    pub(crate) fn leaves_alone(&self, text: &[u8]) -> bool {
        !self.steps.iter().any(|step| step.may_change(text))
    }

    /// Appends the row `text`, a JSON object without its closing brace, to `out` as far as it may be seen.
    ///
    /// # Errors
    ///
    /// If the row is not what a row is: nothing of it is appended then, for it could hold anything.
    pub(crate) fn apply(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        if self.leaves_alone(text) {
            out.extend_from_slice(text);
            return Ok(());
        }
        let closed = [text, b"}"].concat();
        let mut row = MaskedRow::new(out);
        for (key, json) in members(&closed)? {
            match Content::of(&key).map(|content| self.masked(content, json.get())) {
                None | Some(Ok(None)) => row.put(&key, json.get()),
                Some(Ok(Some(masked))) => row.put(&key, &masked),
                Some(Err(failed)) => row.put_failure(&key, failed),
            }
        }
        row.finish();
        Ok(())
    }

    /// The JSON of a field after all steps; nothing if none of them changed it.
    fn masked(&self, content: Content, json: &str) -> Result<Option<String>, Failed> {
        let mut changed: Option<String> = None;
        for step in &self.steps {
            let now = changed.as_deref().unwrap_or(json);
            changed = step.apply(content, now)?.or(changed);
        }
        Ok(changed)
    }
}

impl Step {
    fn may_change(&self, text: &[u8]) -> bool {
        match self {
            Self::Secrets(secrets) => secrets.may_be_in(text),
            Self::Names(names) => names.may_be_in(text),
            Self::Function(_) => true,
        }
    }

    /// The JSON of a field after this step; nothing if it stays as it is.
    fn apply(&self, content: Content, json: &str) -> Result<Option<String>, Failed> {
        match (self, content) {
            (Self::Secrets(secrets), _) => secrets.mask(json),
            (Self::Names(names), _) => names.mask(content, json),
            (Self::Function(function), Content::Masked(field)) => function.mask(field, json),
            (Self::Function(_), Content::Other(_)) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
