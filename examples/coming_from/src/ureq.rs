//! Requests with deadlines and JSON, with ureq.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::{Agent, Error};

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
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .user_agent("shop/1.0")
        .build()
        .into();

    let created = agent
        .post(format!("{base}/items"))
        .header("Authorization", "Bearer secret")
        .send_json(Item::new(7, "tea"))?;
    assert_eq!(created.status(), 201);

    match agent.get(format!("{base}/items/8")).call() {
        Err(Error::StatusCode(404)) => {}
        other => drop(other?),
    }

    agent
        .get(format!("{base}/items/7"))
        .query("fields", "all")
        .call()?
        .body_mut()
        .read_json()
}
