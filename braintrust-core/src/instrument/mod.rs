//! What the code that `#[traced]` generates calls: one wrapper for each shape of function.
//!
//! Every wrapper takes the same three things: the span (an `None` where no one listens), the body, and a
//! function that keeps what it wants of the result. The span ends on every way out, and says which way it was.

mod call;
mod ending;
mod future;
mod inline;
mod items;
mod opening;
mod outcome;
mod returned;
mod returns;
mod stream;

pub use call::{call, call_stream, call_stream_aggregated};
pub use ending::{
    apply, ignore, set_error, set_error_if, set_error_text, set_error_value, set_output, set_output_error,
};
pub use future::{Traced, boxed, boxed_local, boxed_send};
pub use inline::Inline;
pub use items::{Aggregate, Collect, Each, may_own_memory};
pub use opening::{
    IntoParent, SpanName, open, parent, place, prepare, project, set_arguments, set_input, set_metadata, set_name,
    set_tags, start,
};
pub use outcome::{Outcome, Split, SplitPlain};
pub use returned::{FinishOther, FinishPlain, Ran, run};
pub use returns::{Returns, resolving, returning};
pub use stream::TracedStream;
