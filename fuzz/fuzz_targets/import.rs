//! Import files from strangers: any bytes are rows, or problems that the report names; every row that is sent is JSON.
#![no_main]

use braintrust_core::import::Import;
use braintrust_core::testing::memory_logger;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (logger, rows) = memory_logger();
    for keep in [true, false] {
        let report =
            Import::new(&logger).reader(bytes, "fuzz").keep_ids(keep).run().expect("bytes in memory can be read");
        // A row that is no JSON would be counted as lost, and the import would fail.
        assert!(report.imported == 0 || !rows.rows().is_empty());
    }
});
