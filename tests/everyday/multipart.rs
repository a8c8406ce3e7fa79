//! Forms of several parts: collected, given to a handler, written to disk.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use barewire::app::{
    App, EntityTag, MultipartHandler, MultipartLimits, PartHead, Refusal, Response, Route, Spool,
    SpooledForm, Status,
};

use crate::app_support::{Answer, Running, wait_until};

const TYPE: &str = "multipart/form-data; boundary=x";

/// A form of a title and of a photograph with this content.
fn form(photo: &str) -> String {
    format!(
        "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nSea\r\n\
         --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../a/b.png\"\r\n\
         Content-Type: image/png\r\n\r\n{photo}\r\n--x--\r\n"
    )
}

fn head(path: &str, length: usize, content_type: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

fn send(running: &Running, path: &str, body: &str) -> Answer {
    running.exchange(&format!("{}{body}", head(path, body.len(), TYPE)))
}

/// A directory of its own, removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("barewire-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn collecting() -> Running {
    Running::start(
        App::new().route(Route::post("/form").collect(1 << 20, |request, reply| {
            let limits = MultipartLimits::DEFAULT.with_file(1000);
            let form = request.multipart_within(&limits)?;
            let photo = form.file("photo")?;
            let text = format!(
                "{} {:?} {} {}: {}",
                form.text("title")?,
                photo.file_name(),
                photo.head().content_type(),
                photo.content().len(),
                form.iter()
                    .map(|part| part.name())
                    .collect::<Vec<_>>()
                    .join("+"),
            );
            reply.text(text).ok()
        })),
    )
}

#[test]
fn a_collected_form_has_its_parts() {
    let running = collecting();
    let answer = send(&running, "/form", &form("12345\r\n--\r\n"));
    assert_eq!(answer.body, "Sea Some(\"b.png\") image/png 11: title+photo");
}

#[test]
fn a_refusal_names_the_part() {
    let running = collecting();
    let refused = |body: &str| {
        let answer = send(&running, "/form", body);
        (answer.status, answer.body)
    };
    let error = |text: &str| format!("{{\"error\":\"{text}\"}}");
    assert_eq!(
        refused(&form(&"x".repeat(1001))),
        (413, error(r#"part \"photo\": the file is too large"#))
    );
    assert_eq!(
        refused(&form("1").replace("title", "other")),
        (400, error(r#"part \"title\" is missing"#))
    );
    assert_eq!(
        refused(
            &form("1")
                .replace("../a/b.png", "")
                .replace("\r\n1\r\n", "\r\n\r\n")
        ),
        (400, error(r#"part \"photo\" is missing"#)),
        "none was chosen"
    );
    assert_eq!(
        refused(&form("1").replace("Sea\r\n--x", "Sea\r\n--x!")),
        (
            400,
            error(r#"part \"title\": a boundary with more behind it (RFC 2046 §5.1.1)"#)
        )
    );
    assert_eq!(
        refused("--x\r\nContent-Type: text/plain\r\n\r\n\r\n--x--"),
        (
            400,
            error("part 1: no Content-Disposition of a form with a name (RFC 7578 §4.2)")
        )
    );
    assert_eq!(refused("--x--").0, 400);
    assert_eq!(refused("").1, error("the form is incomplete"));
    let base64 = "image/png\r\nContent-Transfer-Encoding: base64";
    assert_eq!(refused(&form("1").replace("image/png", base64)).0, 415);
    let other = running.exchange(&format!("{}a=b", head("/form", 3, "text/plain")));
    assert_eq!(
        (other.status, other.body),
        (415, error("not multipart/form-data"))
    );
    let none = running.exchange(&format!("{}a=b", head("/form", 3, "multipart/form-data")));
    assert_eq!(none.status, 400);
}

/// Writes down what it is given.
#[derive(Default)]
struct Notes {
    text: String,
}

impl MultipartHandler for Notes {
    fn limits(&self) -> MultipartLimits {
        MultipartLimits::DEFAULT.with_total(100_000)
    }

    fn part(&mut self, part: &PartHead) -> Result<(), Refusal> {
        if part.name() == "unwanted" {
            return Err(Refusal::new(Status::FORBIDDEN).because("not this one"));
        }
        self.text.push_str(part.name());
        self.text.push('=');
        Ok(())
    }

    fn content(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        self.text.push_str(str::from_utf8(piece).unwrap());
        Ok(())
    }

    fn part_end(&mut self) -> Result<(), Refusal> {
        self.text.push(';');
        Ok(())
    }

    fn end(&mut self) -> Result<Response, Refusal> {
        Ok(Response::text(self.text.clone()))
    }
}

#[test]
fn a_handler_gets_a_form_in_pieces_or_in_one() {
    let running = Running::start(
        App::new()
            .route(
                Route::post("/streamed")
                    .stream(|request, reply| reply.multipart(request, Notes::default())),
            )
            .post("/whole", |request, reply| {
                reply.multipart(request, Notes::default())
            }),
    );
    for path in ["/streamed", "/whole"] {
        assert_eq!(
            send(&running, path, &form("1\r\n2")).body,
            "title=Sea;photo=1\r\n2;",
            "{path}"
        );
        let refused = send(&running, path, &form("1").replace("photo", "unwanted"));
        assert_eq!(
            (refused.status, &*refused.body),
            (403, "{\"error\":\"not this one\"}"),
            "{path}"
        );
        let cut = form("1").replace("--x--", "");
        assert_eq!(send(&running, path, &cut).status, 400, "{path}");
        let large = send(&running, path, &form(&"x".repeat(100_000)));
        assert_eq!(
            large.body, "{\"error\":\"the form is too large\"}",
            "{path}"
        );
    }
    // A client that sends it byte by byte, and without a length.
    let mut stream = running.connect();
    let head = format!(
        "POST /streamed HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: {TYPE}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for byte in form("\r\n--").bytes() {
        stream
            .write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n'])
            .unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::new(&answer).body, "title=Sea;photo=\r\n--;");
}

fn spooling(folder: &Folder) -> Running {
    let spool = Spool::new(&folder.0).limits(MultipartLimits::DEFAULT.with_file(4 << 20));
    let kept = folder.0.join("kept");
    let missing = Spool::new(folder.0.join("missing"));
    let answer = |mut form: SpooledForm, kept: PathBuf| {
        let photo = form.take_file("photo")?;
        let mut content = Vec::new();
        photo
            .open()
            .and_then(|mut file| file.read_to_end(&mut content))
            .unwrap();
        assert_eq!(photo.len(), content.len() as u64);
        let name = photo.file_name().map(String::from);
        if form.text("title")? == "Sea" {
            photo.persist(kept).unwrap();
        }
        let text = format!("{name:?} {}", EntityTag::of(&content).as_str());
        Ok::<_, Refusal>(Response::text(text))
    };
    let second = (spool.clone(), kept.clone());
    Running::start(
        App::new()
            .route(Route::post("/streamed").stream(move |request, reply| {
                let kept = kept.clone();
                reply.spool(request, &spool, move |form| answer(form, kept))
            }))
            .route(
                Route::post("/whole").collect(8 << 20, move |request, reply| {
                    let kept = second.1.clone();
                    reply.spool(request, &second.0, move |form| answer(form, kept))
                }),
            )
            .route(Route::post("/missing").stream(move |request, reply| {
                reply.spool(request, &missing, |_form| Response::text("never"))
            }))
            .route(
                Route::post("/panic")
                    .collect(0, |_request, reply| reply.empty())
                    .stream({
                        let spool = Spool::new(&folder.0);
                        move |request, reply| {
                            reply.spool(request, &spool, |_form| -> Response { panic!("as asked") })
                        }
                    }),
            ),
    )
}

#[test]
fn files_are_written_to_disk_and_what_is_not_kept_is_deleted() {
    let folder = Folder::new("spool");
    let running = spooling(&folder);
    let photo = "0123456789abcdef".repeat(200_000); // several batches
    let tag = EntityTag::of(&photo);
    for path in ["/streamed", "/whole"] {
        let answer = send(&running, path, &form(&photo));
        assert_eq!(
            answer.body,
            format!("Some(\"b.png\") {}", tag.as_str()),
            "{path}"
        );
        assert_eq!(fs::read(folder.0.join("kept")).unwrap(), photo.as_bytes());
        fs::remove_file(folder.0.join("kept")).unwrap();

        let other = send(&running, path, &form("1").replace("Sea", "Hill"));
        assert_eq!(other.status, 200, "{path}");
        let large = send(&running, path, &form(&"x".repeat((4 << 20) + 1)));
        assert_eq!(
            large.body, r#"{"error":"part \"photo\": the file is too large"}"#,
            "{path}"
        );
        let cut = form(&photo).replace("--x--", "");
        assert_eq!(send(&running, path, &cut).status, 400, "{path}");
        assert_eq!(send(&running, path, "").status, 400, "{path}");
    }
    assert_eq!(send(&running, "/missing", &form("1")).status, 500);
    assert_eq!(send(&running, "/panic", &form("1")).status, 500);
    wait_until("all are deleted", || folder.names().is_empty());
}

#[test]
fn a_client_that_goes_leaves_no_file() {
    let folder = Folder::new("gone");
    let running = spooling(&folder);
    let mut stream = running.connect();
    stream
        .write_all(head("/streamed", 3 << 20, TYPE).as_bytes())
        .unwrap();
    let body = form(&"y".repeat(2 << 20));
    stream.write_all(&body.as_bytes()[..1 << 20]).unwrap();
    wait_until("a file is there", || folder.names().len() == 1);
    drop(stream);
    wait_until("it is deleted", || folder.names().is_empty());
}

#[test]
fn fields_of_a_spooled_form_are_in_order() {
    let folder = Folder::new("fields");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spool = Spool::new(&folder.0);
    let notes = seen.clone();
    let running = Running::start(App::new().route(Route::post("/").stream(
        move |request, reply| {
            let notes = notes.clone();
            reply.spool(request, &spool, move |form| {
                let fields = form
                    .fields()
                    .map(|(head, text)| (head.name().to_owned(), text.to_vec()));
                notes.lock().unwrap().extend(fields);
                let name = form
                    .files()
                    .first()
                    .and_then(|file| file.file_name().map(String::from));
                Response::text(format!("{name:?}"))
            })
        },
    )));
    let body = form("1").replace(
        "--x--",
        "--x\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n--x--",
    );
    assert_eq!(send(&running, "/", &body).body, "Some(\"b.png\")");
    let pair = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    assert_eq!(
        *seen.lock().unwrap(),
        [pair("title", "Sea"), pair("b", "2")]
    );
}
