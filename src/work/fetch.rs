//! Calls to upstreams: the one agent, its time limits, and the roots it trusts. The only place with ureq.
//!
//! No redirects (a reply must not be said twice, nor a token follow one), no proxy from the environment, answers bounded
//! in their bytes and, before anybody reads them, in their values. TLS by rustls with ring and the system's roots; where the system has none, with bundled ones if they were
//! built in.

use super::resolve::Remembering;
use crate::limits;
use crate::model::{Answer, FetchFault, Method, OutboundRequest, Outcome};
use crate::notation::base64;
use crate::notation::values::values;
use std::error::Error;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Timeout, http};

/// Answer headers that a judge may look at, and those by which `ackd doctor` tells what is wrong.
const HEADERS: [&str; 11] = [
    "retry-after",
    "x-app-usage",
    "x-business-use-case-usage",
    "x-page-usage",
    "trackingid",
    "content-type",
    "link",
    "date",
    "ngrok-error-code",
    // What OpenDota says of its limits (opendota.md).
    "x-rate-limit-remaining-minute",
    "x-rate-limit-remaining-day",
];

/// The upstream side of the workers. Roots are read at the first call over TLS, so that an idle daemon, or one
/// that only talks to loopback, has no memory in them.
#[derive(Default)]
pub struct Fetch {
    plain: OnceLock<Agent>,
    tls: OnceLock<Agent>,
    /// ureq makes its TLS configuration at the first call, in each worker that gets there; so one goes first, and the
    /// others wait a moment: not for as long as its upstream hangs.
    first_tls_call: Mutex<First>,
    first_tls_call_ended: Condvar,
}

/// How far the first call over TLS is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum First {
    #[default]
    NotYet,
    UnderWay,
    Ended,
}

impl Fetch {
    /// Makes one call and waits for its end.
    pub fn call(&self, request: &OutboundRequest) -> Outcome {
        let answer = if request.url.starts_with("https:") {
            let agent = self.tls.get_or_init(|| agent(&roots()));
            let goes_first = self.goes_first();
            let answer = call(agent, request);
            if goes_first {
                *self.first_tls_call() = First::Ended;
                self.first_tls_call_ended.notify_all();
            }
            answer
        } else {
            call(self.plain.get_or_init(|| agent(&none())), request)
        };
        match answer {
            Ok(answer) => Outcome::Answered(answer),
            Err(fault) => {
                Outcome::Failed(FetchFault { why: format!("{}: {}", host(&request.url), fault.why), ..fault })
            }
        }
    }
}

impl Fetch {
    /// Whether this is the first call over TLS; otherwise waits until the first has ended, or long enough.
    fn goes_first(&self) -> bool {
        let mut first = self.first_tls_call();
        if *first == First::NotYet {
            *first = First::UnderWay;
            return true;
        }
        let under_way = |first: &mut First| *first == First::UnderWay;
        drop(self.first_tls_call_ended.wait_timeout_while(first, limits::FETCH_FIRST_TIME, under_way));
        false
    }

    fn first_tls_call(&self) -> MutexGuard<'_, First> {
        self.first_tls_call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Host and port of a URL, for an error; the rest of it may hold a secret.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// What stands for the system's roots where it has none, as in an empty container.
#[cfg(feature = "bundled-roots")]
fn roots_without_system() -> RootCerts {
    log::warn!("the system has no root certificates (install ca-certificates); using the bundled ones");
    RootCerts::WebPki
}

/// Nothing does, and every call over TLS fails. ureq's own default would panic without the bundled ones.
#[cfg(not(feature = "bundled-roots"))]
fn roots_without_system() -> RootCerts {
    log::error!(
        "the system has no root certificates, so nobody can be called over HTTPS: install ca-certificates and restart, \
         or build with --features bundled-roots"
    );
    none()
}

/// Trusts nobody.
fn none() -> RootCerts {
    RootCerts::Specific(Arc::new(Vec::new()))
}

/// The system's roots.
fn roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::debug!("reading the system's root certificates: {error}");
    }
    if found.certs.is_empty() {
        return roots_without_system();
    }
    let certificates = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect::<Vec<_>>();
    RootCerts::Specific(Arc::new(certificates))
}

fn agent(roots: &RootCerts) -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(crate::tls::provider())
        .root_certs(roots.clone())
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("ackd/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(limits::FETCH_CONNECT_TIME))
        .timeout_connect(Some(limits::FETCH_CONNECT_TIME))
        .timeout_send_request(Some(limits::FETCH_STEP_TIME))
        .timeout_send_body(Some(limits::FETCH_STEP_TIME))
        .timeout_recv_response(Some(limits::FETCH_STEP_TIME))
        .timeout_recv_body(Some(limits::FETCH_STEP_TIME))
        .timeout_global(Some(limits::FETCH_TIME))
        // A connection that an upstream closed just now would make an attempt's end unknown: drop it sooner.
        .max_idle_age(Duration::from_secs(5))
        .input_buffer_size(16 * 1024)
        .output_buffer_size(16 * 1024)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Remembering::default())
}

fn call(agent: &Agent, request: &OutboundRequest) -> Result<Answer, FetchFault> {
    let mut outbound = build(request)?;
    if let Some(patience) = request.patience {
        outbound = agent.configure_request(outbound).timeout_global(Some(patience)).build();
    }
    let mut response = agent.run(outbound).map_err(|error| fault(&error))?;
    let status = response.status().as_u16();
    let headers = HEADERS
        .iter()
        .filter_map(|name| {
            let value = response.headers().get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.to_owned()))
        })
        .collect();
    let mut body = Vec::new();
    let most = u64::try_from(limits::ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let read = response.body_mut().as_reader().take(most).read_to_end(&mut body);
    if let Err(error) = read {
        // The status is known; what came of the body is judged as it is.
        log::debug!("an answer broke off after {} bytes: {error}", body.len());
    }
    let found = values(&body);
    if found > limits::ANSWER_VALUES_MAX {
        // Read as JSON, it would take a hundred times its length.
        let why = format!("its answer has {found} JSON values; more than {} are not read", limits::ANSWER_VALUES_MAX);
        return Err(FetchFault { went_out: true, why });
    }
    Ok(Answer { status, headers, body })
}

fn build(request: &OutboundRequest) -> Result<http::Request<Vec<u8>>, FetchFault> {
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Patch => http::Method::PATCH,
        _ => http::Method::POST,
    };
    let url = match &request.secret_query {
        Some(query) if request.url.contains('?') => format!("{}&{}", request.url, query.expose()),
        Some(query) => format!("{}?{}", request.url, query.expose()),
        None => request.url.clone(),
    };
    let mut outbound = http::Request::builder().method(method).uri(url).header("Content-Type", request.content_type);
    for (name, value) in &request.headers {
        outbound = outbound.header(*name, value);
    }
    if let Some(token) = &request.bearer {
        outbound = outbound.header("Authorization", format!("Bearer {}", token.expose()));
    }
    if let Some(account) = &request.basic {
        outbound = outbound.header("Authorization", format!("Basic {}", base64(account.expose().as_bytes())));
    }
    // The error could quote the URL, which may hold a secret.
    let wrong = |_| FetchFault { went_out: false, why: format!("the request to {} cannot be written", request.url) };
    outbound.body(request.body.clone()).map_err(wrong)
}

/// Tells an attempt that cannot have reached the upstream from one that may have.
fn fault(error: &ureq::Error) -> FetchFault {
    let before = match error {
        ureq::Error::Timeout(at) => matches!(at, Timeout::Resolve | Timeout::Connect),
        ureq::Error::Io(error) => is_before(error),
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => true,
        _ => false,
    };
    let mut why = match error {
        // ureq puts its own word for this kind before it.
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    let mut source = error.source();
    while let Some(inner) = source {
        why = format!("{why}: {inner}");
        source = inner.source();
    }
    FetchFault { went_out: !before, why }
}

fn is_before(error: &io::Error) -> bool {
    use io::ErrorKind;
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return true; // The handshake failed, for example over a certificate.
    }
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    fn request(url: String) -> OutboundRequest {
        OutboundRequest::json(Method::Post, url, b"{}".to_vec())
    }

    fn served_by(serve: impl FnOnce(TcpStream) + Send + 'static) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let server = thread::spawn(move || serve(listener.accept().unwrap().0));
        let outcome = Fetch::default().call(&request(url));
        server.join().unwrap();
        outcome
    }

    #[test]
    fn without_any_root_a_call_over_tls_fails_and_ends_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/x", listener.local_addr().unwrap());
        let server = thread::spawn(move || drop(listener.accept()));
        let fault = call(&agent(&none()), &request(url)).unwrap_err();
        assert!(!fault.why.is_empty(), "{fault:?}");
        server.join().unwrap();
    }

    #[test]
    fn a_call_that_was_refused_did_not_go_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        drop(listener);
        let Outcome::Failed(fault) = Fetch::default().call(&request(url)) else { panic!("it was answered") };
        assert!(!fault.went_out, "{fault:?}");
        assert!(fault.why.starts_with("127.0.0.1:") && fault.why.contains("refused"), "{fault:?}");
    }

    #[test]
    fn a_name_that_cannot_be_looked_up_is_a_call_that_did_not_go_out() {
        let outcome = Fetch::default().call(&request("http://no-such-host.invalid/x".to_owned()));
        let Outcome::Failed(fault) = outcome else { panic!("{outcome:?}") };
        assert!(!fault.went_out, "{fault:?}");
        assert!(fault.why.contains("no-such-host.invalid"), "{fault:?}");
    }

    #[test]
    fn a_call_that_was_cut_off_may_have_gone_out() {
        let outcome = served_by(|mut stream| {
            let mut some = [0; 512];
            let _ = stream.read(&mut some);
        });
        let Outcome::Failed(fault) = outcome else { panic!("{outcome:?}") };
        assert!(fault.went_out, "{fault:?}");
    }

    #[test]
    fn an_answer_is_taken_whatever_its_status() {
        let outcome = served_by(|mut stream| {
            let mut some = [0; 512];
            let _ = stream.read(&mut some);
            let answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno";
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
        assert_eq!((answer.status, answer.header("retry-after")), (302, Some("7")));
        assert_eq!(answer.body, b"no");
    }

    #[test]
    fn an_answer_of_too_many_values_is_none_and_one_at_the_bound_is() {
        let answered = |values: usize| {
            served_by(move |mut stream| {
                let mut some = [0; 512];
                let _ = stream.read(&mut some);
                let body = format!("[{}]", vec!["0"; values].join(","));
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).unwrap();
            })
        };
        assert!(matches!(answered(limits::ANSWER_VALUES_MAX), Outcome::Answered(_)));
        let Outcome::Failed(fault) = answered(limits::ANSWER_VALUES_MAX + 1) else { panic!("it was answered") };
        assert!(fault.went_out && fault.why.contains("30001 JSON values; more than 30000 are not read"), "{fault:?}");
    }

    #[test]
    fn a_first_upstream_that_hangs_holds_up_no_other_for_long() {
        let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = hangs.local_addr().unwrap();
        let fetch = Fetch::default();
        thread::scope(|scope| {
            let first = scope.spawn(|| fetch.call(&request(format!("https://{address}/x"))));
            // It has said the first words of TLS, and waits.
            let mut held = hangs.accept().unwrap().0;
            assert!(held.read(&mut [0; 1]).unwrap() > 0);
            let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let began = Instant::now();
            let second = fetch.call(&request(format!("https://{closed}/x")));
            assert!(matches!(second, Outcome::Failed(_)));
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            drop(held);
            assert!(matches!(first.join().unwrap(), Outcome::Failed(_)));
        });
    }

    #[test]
    fn a_tls_upstream_that_talks_nonsense_is_a_fault_and_no_panic() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/x", listener.local_addr().unwrap());
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"this is not TLS at all").unwrap());
        let outcome = Fetch::default().call(&request(url));
        server.join().unwrap();
        let Outcome::Failed(fault) = outcome else { panic!("{outcome:?}") };
        assert!(!fault.went_out, "the handshake failed before anything was said: {fault:?}");
    }
}
