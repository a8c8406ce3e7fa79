//! Items behind a key, with axum.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};

type Items = Arc<Mutex<HashMap<u32, String>>>;

async fn read(State(items): State<Items>, Path(id): Path<u32>) -> Result<Json<String>, StatusCode> {
    let items = items.lock().unwrap();
    let name = items.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(name.clone()))
}

async fn write(
    State(items): State<Items>,
    Path(id): Path<u32>,
    Json(name): Json<String>,
) -> StatusCode {
    items.lock().unwrap().insert(id, name);
    StatusCode::NO_CONTENT
}

async fn key(request: Request, next: Next) -> Result<Response, StatusCode> {
    match request.headers().get("x-api-key") {
        Some(key) if key == "4711" => Ok(next.run(request).await),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

#[tokio::main]
pub async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/items/{id}", get(read).put(write))
        .layer(from_fn(key))
        .with_state(Items::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app).await
}
