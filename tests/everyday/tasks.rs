//! Tasks that futures begin beside themselves.

use core::future::pending;

use barewire::app::{App, Spawner};
use barewire::net::{Limits, Share};

use crate::app_support::Running;

#[test]
fn tasks_count_for_the_address_whose_future_has_begun_them() {
    let share = Share {
        all: 5,
        address: 2,
        connection: 2,
    };
    let app = App::new()
        .get("/", |_request, mut reply| {
            let of_app = reply.spawner();
            reply.future(async move {
                let begun = |spawner: &Spawner| spawner.spawn(pending()).is_ok();
                let current = Spawner::current().unwrap();
                // The app's own, which is begun from another thread.
                let own = of_app.clone();
                let elsewhere = std::thread::spawn(move || own.spawn(pending()).is_ok());
                let begun = [
                    begun(&current),
                    begun(&of_app),
                    begun(&current),
                    elsewhere.join().unwrap(),
                ];
                barewire::app::Response::text(format!("{begun:?}"))
            })
        })
        .limits(Limits::DEFAULT.with_futures(share));
    let running = Running::start(app);
    assert_eq!(running.get("/").body, "[true, true, false, true]");
    assert_eq!(running.get("/").body, "[false, false, false, true]");
}
