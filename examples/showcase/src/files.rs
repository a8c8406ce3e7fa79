//! A directory of files, as a web server has it: ranges, conditions, types.

use barewire::app::App;

/// Serves the files of `directory`, or those that lie beside this program's
/// source, below `/static`, and the latter below `/sample` in any case.
#[cfg(unix)]
pub fn routes(app: App, directory: Option<&str>) -> App {
    use barewire::app::Files;

    const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/static");
    // The program may have been taken elsewhere, and its files not.
    let own = std::path::Path::new(OWN).is_dir().then_some(OWN);
    let served = [("/static", directory.or(own)), ("/sample", own)];
    served.into_iter().fold(app, |app, (path, directory)| {
        let Some(directory) = directory else {
            return app;
        };
        let files = Files::new(directory)
            .precompressed()
            .cache_control("no-cache") // keep it, and ask whether it has changed
            .header("X-Content-Type-Options", "nosniff");
        app.files(path, files)
    })
}

/// Serves none: only Unix has them.
#[cfg(not(unix))]
pub fn routes(app: App, _directory: Option<&str>) -> App {
    app
}
