//! Runs an operation of GraphQL: prints its response, or what a subscription brings.
//!
//! ```text
//! cargo run --features graphql --example graphql_client http://127.0.0.1:4000/graphql '{ hello }'
//! cargo run --features graphql --example graphql_client http://127.0.0.1:4000/graphql \
//!     'subscription($from: Int!) { countdown(from: $from) }' '{"from": 3}'
//! ```
//!
//! The third argument are the variables, the fourth is `events` for subscriptions over event
//! streams.

use core::error::Error;
use std::env;

use barewire::client::{
    Client, GraphQl, GraphQlError, GraphQlEvent, GraphQlOperation, GraphQlOptions, GraphQlTransport,
};
use barewire::graphql::OperationType;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let usage = "usage: graphql_client URL DOCUMENT [VARIABLES] [events]";
    let url = arguments.next().ok_or(usage)?;
    let document = arguments.next().ok_or(usage)?;
    let variables = arguments.next().unwrap_or_else(|| "{}".into());
    let options = match arguments.next().as_deref() {
        Some("events") => GraphQlOptions::new().transport(GraphQlTransport::Events),
        _ => GraphQlOptions::new(),
    };
    let client = GraphQl::with(&Client::new(), &url, options.attempts(5))?;
    let kind = OperationType::of(&document, None);
    let variables: serde_json::Value = serde_json::from_str(&variables)?;
    let operation = GraphQlOperation::new(document).variables(&variables)?;
    if kind == Some(OperationType::Subscription) {
        for event in client.subscribe(operation)? {
            match event? {
                GraphQlEvent::Next(response) => println!("{}", response.json().unwrap_or("null")),
                _ => println!("-- again: some may be missing"),
            }
        }
        println!("-- complete");
        return Ok(());
    }
    let answer = match kind {
        Some(OperationType::Mutation) => client.mutation::<serde_json::Value>(operation),
        _ => client.query(operation),
    };
    match answer {
        Ok(data) => println!("{data}"),
        Err(GraphQlError::Response(response)) => {
            println!("{}", response.json().unwrap_or("null"));
            for error in response.errors() {
                println!("-- {error}");
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
