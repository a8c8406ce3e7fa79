//! Chapter 3: work that waits, on threads and as futures.

use std::thread;
use std::time::Duration;

use barewire::app::{App, BlockingLimits, Error, Refusal, Response, Route, Spawner, Status};

/// Stands for a query of a database.
fn name_of(id: u32) -> Option<&'static str> {
    thread::sleep(Duration::from_millis(50));
    (id == 7).then_some("Ann")
}

/// Stands for a client whose calls are futures.
async fn price_of(thing: &str, timer: &Spawner) -> Option<u32> {
    timer.sleep(Duration::from_millis(50)).await;
    (thing == "tea").then_some(3)
}

fn main() -> Result<(), Error> {
    let app = App::new()
        .blocking_limits(BlockingLimits::DEFAULT.with_threads(20))
        .get("/users/{id}", |request, reply| {
            let id = request.param("id").parse();
            let id = id.map_err(|_| Status::BAD_REQUEST)?;
            Ok::<_, Status>(reply.blocking(move || {
                let name = name_of(id).ok_or(Status::NOT_FOUND)?;
                Ok::<_, Refusal>(Response::text(name))
            }))
        })
        .route(Route::post("/lines").blocking(|request| {
            thread::sleep(Duration::from_millis(50)); // it may
            let lines = request.body().split(|byte| *byte == b'\n');
            Response::text(lines.count().to_string())
        }))
        .get("/prices/{thing}", |request, reply| {
            let thing = request.param("thing").to_owned();
            reply.future_with(|timer| async move {
                let price = price_of(&thing, &timer).await;
                let price = price.ok_or(Status::NOT_FOUND)?;
                Ok::<_, Refusal>(Response::text(price.to_string()))
            })
        });
    guide::serve(app)
}
