//! One trace across two processes: a client, and a server that takes the trace up from the headers of its requests.
//!
//! ```text
//! cargo run --example two_services
//! ```
//!
//! The program starts itself once more as the server, on a port of the loopback interface. Both write to one folder here;
//! without `local_folder` and with `BRAINTRUST_API_KEY`, both would send to Braintrust, and the trace be joined there.

mod client;
mod server;

use std::path::PathBuf;

use braintrust::Logger;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", folder] => runtime.block_on(server::serve(&logger(folder.into())?)),
        _ => {
            let folder = std::env::temp_dir().join(format!("braintrust-two-services-{}", std::process::id()));
            runtime.block_on(client::ask_server(&logger(folder.clone())?, &folder))?;
            println!("{}", braintrust::local::read(&folder)?.tree());
            std::fs::remove_dir_all(&folder)?;
            Ok(())
        }
    }
}

fn logger(folder: PathBuf) -> anyhow::Result<Logger> {
    let logger = Logger::builder().project("Two services").local_folder(folder).build()?;
    logger.install();
    Ok(logger)
}
