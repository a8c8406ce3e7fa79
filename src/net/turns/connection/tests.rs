use super::*;
use crate::net::MioStream;
use crate::{http1, websocket};

#[test]
fn a_connection_at_work_costs_its_record_and_what_it_holds() {
    let record = size_of::<Connection>();
    // The slab's generation, the socket, the second of its deadline.
    let all = record + 8 + size_of::<Option<MioStream>>() + 4;
    std::println!(
        "record {record} (link {}, of it http1 {} or websocket {}), all told {all}",
        size_of::<Link>(),
        size_of::<http1::Connection>(),
        size_of::<websocket::Connection>(),
    );
    assert_eq!(all, 296);
    assert!(size_of::<http1::Connection>() <= 64);
    assert!(size_of::<websocket::Connection>() <= 128);
}
