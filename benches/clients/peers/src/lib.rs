//! What the programs on tokio share.

use std::rc::Rc;

use clients_common::{Meter, Task};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::task::LocalSet;

/// Has as many tasks as are asked for each do `act` again and again, on one thread.
pub fn together<S: 'static>(
    task: &Task,
    make: impl AsyncFn(&Task) -> S,
    act: impl AsyncFn(&Task, &mut S) + 'static,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let act = Rc::new(act);
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let mut states = Vec::new();
        for _ in 0..task.at_once {
            states.push(make(task).await);
        }
        let states = round(task, states, &act, task.warm_up()).await;
        let meter = Meter::start();
        round(task, states, &act, task.operations).await;
        meter.stop(task.at_once * task.operations);
    });
}

async fn round<S: 'static>(
    task: &Task,
    states: Vec<S>,
    act: &Rc<impl AsyncFn(&Task, &mut S) + 'static>,
    count: usize,
) -> Vec<S> {
    let begin = |mut state| {
        let (task, act) = (task.clone(), act.clone());
        tokio::task::spawn_local(async move {
            for _ in 0..count {
                act(&task, &mut state).await;
            }
            state
        })
    };
    let tasks: Vec<_> = states.into_iter().map(begin).collect();
    let mut states = Vec::new();
    for task in tasks {
        states.push(task.await.expect("a task"));
    }
    states
}

/// Reads a body to its end; its length.
pub async fn drain(mut body: Incoming) -> usize {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.expect("a frame").into_data().map_or(0, |it| it.len());
    }
    length
}
