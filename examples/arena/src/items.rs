//! `GET /json/{count}?m=3`: items of the dataset, with what each comes to.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use barewire::app::{App, Refusal, Request};
use serde::{Deserialize, Serialize};

use crate::routes::bad;

pub(crate) fn routes(app: App, items: &Arc<Items>) -> App {
    let items = items.clone();
    app.get("/json/{count}", move |request, reply| {
        reply.json(&items.answer(request)?).ok()
    })
}

/// The dataset.
pub(crate) struct Items(Vec<Item>);

#[derive(Deserialize)]
struct Item {
    id: u64,
    name: String,
    category: String,
    price: i64,
    quantity: i64,
    active: bool,
    tags: Vec<String>,
    rating: Rating,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Rating {
    score: i64,
    count: i64,
}

#[derive(Serialize)]
struct Answer<'i> {
    items: Vec<Priced<'i>>,
    count: usize,
}

#[derive(Serialize)]
struct Priced<'i> {
    id: u64,
    name: &'i str,
    category: &'i str,
    price: i64,
    quantity: i64,
    active: bool,
    tags: &'i [String],
    rating: Rating,
    total: i64,
}

impl Items {
    /// Reads the dataset.
    ///
    /// # Errors
    /// If it is not there, or not what the rules describe.
    pub(crate) fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let read =
            || -> Result<_, Box<dyn Error>> { Ok(serde_json::from_slice(&fs::read(path)?)?) };
        read()
            .map(Self)
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }

    fn answer(&self, request: &Request<'_>) -> Result<Answer<'_>, Refusal> {
        let count: usize = request
            .param("count")
            .parse()
            .map_err(|_| bad("count is not a number"))?;
        let multiplier: i64 = request
            .query_value("m")
            .and_then(|m| m.parse().ok())
            .ok_or_else(|| bad("m is not a number"))?;
        let items: Option<Vec<_>> = self
            .0
            .iter()
            .take(count)
            .map(|item| item.priced(multiplier))
            .collect();
        let items = items.ok_or_else(|| bad("m is too large"))?;
        Ok(Answer {
            count: items.len(),
            items,
        })
    }
}

impl Item {
    /// With its total; none if that is too large.
    fn priced(&self, multiplier: i64) -> Option<Priced<'_>> {
        let total = self.price.checked_mul(self.quantity)?;
        Some(Priced {
            id: self.id,
            name: &self.name,
            category: &self.category,
            price: self.price,
            quantity: self.quantity,
            active: self.active,
            tags: &self.tags,
            rating: self.rating,
            total: total.checked_mul(multiplier)?,
        })
    }
}
