//! Placeholder until the command line lands.
use std::path::PathBuf;
fn main() {
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).parse_default_env().init();
    let file = PathBuf::from(std::env::args().nth(3).unwrap_or_default());
    match ackd::config::Config::load(&file, &|name| std::env::var(name).ok()) {
        Ok(config) => {
            if let Err(error) = ackd::daemon::run(&config) {
                log::error!("{error}");
                std::process::exit(1)
            }
        }
        Err(error) => {
            log::error!("{error}");
            std::process::exit(2)
        }
    }
}
