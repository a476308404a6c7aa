//! Images, documents and large values in spans: as attachments, in any value, uploaded apart from the rows.
//!
//! Runs offline: `cargo run --example attachments`. Without `BRAINTRUST_API_KEY` the data is kept in the local folder, from
//! where it can be sent later, with the rows (see `import_traces.rs`).

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use braintrust::{
    Attachment, Event, ExternalAttachment, JsonAttachment, Logger, SpanType, current_span, local, traced,
};
use serde::Serialize;
use serde_json::json;

/// The smallest picture there is: one grey pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x80\x80\x80\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// A field of a struct that is captured as an argument may be an attachment like any other value.
#[derive(Serialize)]
struct Question {
    text: String,
    page: Attachment,
}

#[traced(type = "task")]
fn answer(question: &Question) -> String {
    let transcript: Vec<_> = (1..=1000).map(|turn| format!("turn {turn}")).collect();
    current_span().log(
        Event::new()
            .metadata("transcript", JsonAttachment::new(&transcript).filename("transcript.json"))
            .metadata("source", ExternalAttachment::new("s3://papers/quantum.pdf")),
    );
    format!("{}: a grey pixel", question.text)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("braintrust-example-attachments-{}", std::process::id()));
    let logger = Logger::builder().project("attachments").local_folder(folder.join("traces")).build()?;
    logger.install();

    // From memory, and from a file, which is read when it is uploaded.
    let pixel = Attachment::from_bytes(PIXEL).filename("page.gif");
    answer(&Question { text: "What is this?".to_owned(), page: pixel.clone() });
    std::fs::create_dir_all(&folder)?;
    let notes = folder.join("notes.md");
    std::fs::write(&notes, "# Notes\n")?;
    logger.log(Event::new().input(json!({"notes": Attachment::from_path(&notes)?, "page": pixel})));

    // In the messages of models, base64 becomes an attachment by itself.
    let data = "R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs=";
    let picture = json!({"type": "image_url", "image_url": {"url": format!("data:image/gif;base64,{data}")}});
    let chat = logger.start_span("chat").kind(SpanType::Llm);
    chat.input(json!([{"role": "user", "content": [picture]}])).start().end();

    println!("{}\n", logger.flush_blocking(Duration::from_secs(5))?);
    println!("{}", local::read(folder.join("traces"))?.tree());
    print_files(&folder.join("traces/attachments"))?;
    Ok(std::fs::remove_dir_all(folder)?)
}

fn print_files(folder: &Path) -> std::io::Result<()> {
    println!("\nKept beside the rows:");
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        println!("  {:>6} bytes  {}", file.metadata()?.len(), file.file_name().display());
    }
    Ok(())
}
