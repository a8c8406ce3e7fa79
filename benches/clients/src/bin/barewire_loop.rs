//! barewire's client on a loop.

use std::cell::Cell;
use std::rc::Rc;

use barewire::client::{ClientOptions, LoopClient, Url};
use barewire::net::{Limits, Loop};
use clients_common::{HELLO, Meter, Task, unknown};

fn main() {
    let task = Task::from_arguments();
    if task.case != "get" {
        unknown(&task);
    }
    let mut events = Loop::new(Limits::DEFAULT).expect("a loop");
    let options = ClientOptions::new().no_proxy().http1_only();
    let client = LoopClient::on(&mut events, options).expect("a client");
    let url = Url::parse(&task.url("/")).expect("a URL");
    let mut round = |operations| {
        let asking = Rc::new(Cell::new(task.at_once));
        for _ in 0..task.at_once {
            ask(client.clone(), url.clone(), operations, asking.clone());
        }
        while asking.get() > 0 {
            events.turn(None).expect("a turn");
        }
    };
    round(task.warm_up());
    let meter = Meter::start();
    round(task.operations);
    meter.stop(task.at_once * task.operations);
}

/// Asks so often, one request behind the other.
fn ask(client: LoopClient, url: Url, left: usize, asking: Rc<Cell<usize>>) {
    let request = client.get(&url);
    client.clone().send_then(request, move |answer| {
        let text = answer.and_then(|it| it.text()).expect("a response");
        assert_eq!(text, HELLO);
        match left {
            1 => asking.set(asking.get() - 1),
            _ => ask(client, url, left - 1, asking),
        }
    });
}
