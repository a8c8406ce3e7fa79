//! Requests with deadlines and JSON, as with ureq.

use std::time::Duration;

use barewire::client::{Client, ClientLimits, ClientOptions, Error};
use barewire::http::Status;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    pub id: u32,
    pub name: String,
}

impl Item {
    fn new(id: u32, name: &str) -> Self {
        let name = name.into();
        Self { id, name }
    }
}

pub fn main(base: &str) -> Result<Item, Error> {
    let limits = ClientLimits::DEFAULT.with_total_time(Duration::from_secs(10));
    let options = ClientOptions::new().limits(limits).user_agent("shop/1.0");
    let client = Client::with(options)?;

    let created = client
        .post(format!("{base}/items"))
        .bearer_auth("secret")
        .json(&Item::new(7, "tea"))
        .send()?;
    assert_eq!(created.status(), Status::CREATED);

    let missing = client.get(format!("{base}/items/8")).send()?;
    assert_eq!(missing.status(), Status::NOT_FOUND); // no error unless asked for

    client
        .get(format!("{base}/items/7"))
        .query("fields", "all")
        .send()?
        .error_for_status()?
        .json()
}
