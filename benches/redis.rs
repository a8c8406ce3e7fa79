//! The backplane of Redis beside a scripted broker: the wire prepared, Redis taken out.
//!
//! Prints what the thread of the backplane takes for a message of 128 B, with the kernel's part,
//! and how many come in a second; then what reading the same bytes takes alone. Then what a
//! publication to a channel with history takes, of the thread that publishes and of the
//! backplane's, beside the same commands written and their answers read by hand.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use barewire::app::{Backplane, History, Inlet, Later, Publication, RedisBackplane, RedisOptions};
use barewire::redis::{Incoming, Message, Names, Purpose, Script, Session, put_command};
use barewire::websocket::Kind;

const COUNT: usize = 2_000_000;

/// A push of a message of 128 B.
fn push() -> Vec<u8> {
    let names = Names::new("barewire", "news");
    let channel = std::str::from_utf8(names.channel()).unwrap();
    let message = Message {
        is_text: true,
        node: 77,
        id: b"1234567",
        unix_millis: 1_767_225_600_000,
        payload: &[b'x'; 128],
        ..Message::default()
    };
    let message = String::from_utf8(message.encode()).unwrap();
    let (at, length) = (channel.len(), message.len());
    format!(">3\r\n$8\r\nsmessage\r\n${at}\r\n{channel}\r\n${length}\r\n{message}\r\n").into_bytes()
}

/// Answers a greeting.
fn greet(socket: &mut TcpStream) {
    socket.write_all(b"%0\r\n").unwrap();
    for text in ["run_id:00\r\n", "role:master\r\nmaster_replid:00\r\n"] {
        let answer = format!("${}\r\n{text}\r\n", text.len());
        socket.write_all(answer.as_bytes()).unwrap();
    }
}

/// Answers what a backplane asks at first, and then publishes.
fn broker(mut socket: TcpStream) {
    let mut seen = String::new();
    let mut buffer = [0; 4_096];
    while !seen.contains("SSUBSCRIBE") {
        let read = socket.read(&mut buffer).unwrap();
        let new = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if new.contains("HELLO") {
            greet(&mut socket);
        }
        seen += &new;
    }
    let names = Names::new("barewire", "news");
    let channel = std::str::from_utf8(names.channel()).unwrap();
    let at = channel.len();
    let subscribed = format!(">3\r\n$10\r\nssubscribe\r\n${at}\r\n{channel}\r\n:1\r\n");
    socket.write_all(subscribed.as_bytes()).unwrap();
    let many = push().repeat(1_000);
    for _ in 0..COUNT / 1_000 {
        socket.write_all(&many).unwrap();
    }
    thread::sleep(Duration::from_secs(1));
}

/// Processor time of a thread, in seconds: this one, or that of a name.
fn processor_time(name: Option<&str>) -> f64 {
    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap_or_default();
    let tasks = || fs::read_dir("/proc/self/task").unwrap();
    let task = match name {
        None => "/proc/thread-self".into(),
        Some(name) => tasks()
            .filter_map(|it| Some(it.ok()?.path()))
            .find(|it| read(it.join("comm")).trim() == name)
            .expect("the thread runs"),
    };
    let time = read(task.join("schedstat"));
    time.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn main() {
    receiving();
    reading();
    let (ours, by_hand) = (publishing(), publishing_by_hand());
    let publishing = ours.0 + ours.1;
    println!("published {publishing:.3} us of processor time a publication with history");
    println!(
        "            {:.3} of the thread that publishes, {:.3} of the backplane's",
        ours.0, ours.1
    );
    println!(
        "by hand   {by_hand:.3} us: {:.2} of it",
        publishing / by_hand
    );
}

const BACKPLANE: Option<&str> = Some("barewire-redis");

fn receiving() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || broker(listener.accept().unwrap().0));
    let backplane = RedisBackplane::new(RedisOptions::at(&address).unwrap()).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counts = count.clone();
    let deliver = move |it| {
        black_box(&it);
        counts.fetch_add(1, Ordering::Relaxed);
    };
    let line = backplane.subscribe("news", None, Inlet::new(deliver, |_| {}));
    line.first_member();
    while count.load(Ordering::Relaxed) == 0 {
        thread::yield_now();
    }
    let (begun, before) = (Instant::now(), count.load(Ordering::Relaxed));
    let time = processor_time(BACKPLANE);
    while count.load(Ordering::Relaxed) < COUNT {
        thread::sleep(Duration::from_millis(1));
    }
    let (passed, came) = (begun.elapsed().as_secs_f64(), (COUNT - before) as f64);
    let time = (processor_time(BACKPLANE) - time) / came * 1e6;
    println!(
        "received  {time:.3} us of processor time a message, {:.0} a second",
        came / passed
    );
}

fn reading() {
    let many = push().repeat(1_000);
    let mut session = Session::<()>::new(1 << 20);
    let begun = Instant::now();
    for _ in 0..COUNT / 1_000 {
        let read = session.receive(&many, |_, incoming| {
            if let Incoming::Message { message, .. } = incoming {
                black_box(Message::parse(message));
            }
            Ok(())
        });
        read.unwrap();
    }
    let time = begun.elapsed().as_secs_f64() / COUNT as f64 * 1e6;
    println!("read      {time:.3} us a message: the reply, and the message in it");
}

const PUBLICATIONS: usize = 500_000;

/// How many are under way.
const WINDOW: usize = 512;

/// Answers scripts as if they had published, for each read in one write.
fn keeper(mut socket: TcpStream) {
    let (mut buffer, mut input) = (vec![0; 64 << 10], Vec::new());
    let (mut output, mut offset) = (Vec::new(), 0);
    socket.set_nodelay(true).unwrap();
    loop {
        let read = match socket.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        input.extend_from_slice(&buffer[..read]);
        let mut at = 0;
        while let Some((length, name)) = command(&input[at..]) {
            match name {
                b"EVAL" | b"EVALSHA" => {
                    offset += 1;
                    let digits = offset.to_string();
                    let place = format!("${}\r\n{digits}\r\n", digits.len());
                    output.extend_from_slice(b"*4\r\n$16\r\n0123456789abcdef\r\n");
                    output.extend_from_slice(place.as_bytes());
                    output.extend_from_slice(b"$4\r\n0000\r\n:0\r\n");
                }
                b"HELLO" => output.extend_from_slice(b"%0\r\n"),
                // INFO, of the server and of its history: one answer that is good for both.
                _ => output.extend_from_slice(
                    b"$42\r\nrun_id:00\r\nrole:master\r\nmaster_replid:00\r\n\r\n",
                ),
            }
            at += length;
        }
        input.drain(..at);
        let _ = socket.write_all(&output);
        output.clear();
    }
}

/// The length of the first command, if all of it is here, and its name.
fn command(input: &[u8]) -> Option<(usize, &[u8])> {
    let mut at = 0;
    let number = |at: &mut usize| {
        let end = *at + input.get(*at..)?.iter().position(|&it| it == b'\n')?;
        let digits = std::str::from_utf8(&input[*at + 1..end - 1]).ok()?;
        *at = end + 1;
        digits.parse::<usize>().ok()
    };
    let count = number(&mut at)?;
    let mut name = &input[..0];
    for nth in 0..count {
        let length = number(&mut at)?;
        let part = input.get(at..at + length)?;
        if nth == 0 {
            name = part;
        }
        at += length + 2;
    }
    (at <= input.len()).then_some((at, name))
}

/// What a publication takes in µs: of this thread, and of the backplane's.
fn publishing() -> (f64, f64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || keeper(listener.accept().unwrap().0));
    let backplane = RedisBackplane::new(RedisOptions::at(&address).unwrap()).unwrap();
    assert!(backplane.wait(Duration::from_secs(5)));
    let line = backplane.subscribe("kept", Some(History::DEFAULT), Inlet::new(|_| {}, |_| {}));
    let answered = Arc::new(AtomicUsize::new(0));
    let publisher = thread::current();
    let later = || {
        let (answered, publisher) = (answered.clone(), publisher.clone());
        Later::new(move |result| {
            assert!(result.is_ok());
            let count = answered.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_multiple_of(WINDOW / 2) {
                publisher.unpark();
            }
        })
    };
    let publish = |count: usize| {
        for nth in 0..count {
            if nth.is_multiple_of(WINDOW / 2) {
                while answered.load(Ordering::Relaxed) + WINDOW / 2 < nth {
                    thread::park();
                }
            }
            let publication = Publication::from_elsewhere(Kind::Text, &[b'x'; 128], b"", 1);
            assert!(
                line.publish(publication.unwrap(), &mut |_| {}, &later)
                    .is_pending()
            );
        }
        while answered.load(Ordering::Relaxed) < count {
            thread::park();
        }
        answered.store(0, Ordering::Relaxed);
    };
    publish(10 * WINDOW);
    let before = (processor_time(None), processor_time(BACKPLANE));
    publish(PUBLICATIONS / WINDOW * WINDOW);
    let after = (processor_time(None), processor_time(BACKPLANE));
    let each = |time: f64| time / PUBLICATIONS as f64 * 1e6;
    (each(after.0 - before.0), each(after.1 - before.1))
}

/// The same commands, half a window in one write, and their answers, read with the parser.
fn publishing_by_hand() -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || keeper(listener.accept().unwrap().0));
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    let names = Names::new("barewire", "kept");
    let (head, stream) = (names.key(Purpose::Head), names.key(Purpose::Stream));
    let sha = Script::Publish.sha();
    let mut session = Session::<usize>::new(1 << 20);
    let (mut output, mut buffer, mut answered) = (Vec::new(), vec![0; 64 << 10], 0);
    let before = processor_time(None);
    for nth in 0..PUBLICATIONS {
        let digits = nth.to_string();
        let mut id_key = names.key(Purpose::Id);
        id_key.extend_from_slice(b":0123456789abcdef-");
        id_key.extend_from_slice(digits.as_bytes());
        let line = format!("text n=0123456789abcdef i={digits} t=1");
        let parts: [&[u8]; 16] = [
            b"EVALSHA",
            sha.as_bytes(),
            b"3",
            &head,
            &stream,
            &id_key,
            b"0000",
            b"0123456789abcdef",
            b"1000",
            b"1048576",
            b"300000",
            b"3600",
            b"60000",
            names.channel(),
            line.as_bytes(),
            &[b'x'; 128],
        ];
        put_command(&mut output, &parts);
        session.asked(nth);
        if (nth + 1).is_multiple_of(WINDOW / 2) {
            socket.write_all(&output).unwrap();
            output.clear();
            while answered + WINDOW / 2 < nth {
                let read = socket.read(&mut buffer).unwrap();
                let count = |_: &mut Session<usize>, incoming: Incoming<'_, usize>| {
                    answered += usize::from(matches!(incoming, Incoming::Reply(..)));
                    Ok(())
                };
                session.receive(&buffer[..read], count).unwrap();
            }
        }
    }
    (processor_time(None) - before) / PUBLICATIONS as f64 * 1e6
}
