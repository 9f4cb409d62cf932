//! Serves metrics with every row filled, so that rules and dashboard can be tried without a running zhida:
//! `cargo run -p zhida-monitoring --example serve_metrics -- 127.0.0.1:9900`. Not a server for anything else.

#[path = "../tests/filled/mod.rs"]
mod filled;

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::SystemTime;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: serve_metrics ADDRESS:PORT")?;
    let metrics = filled::metrics()?;
    let listener = TcpListener::bind(address)?;
    println!("http://{}/metrics", listener.local_addr()?);
    for stream in listener.incoming() {
        let mut stream = stream?;
        let _request = stream.read(&mut [0; 4096])?;
        filled::let_everything_happen(&metrics, SystemTime::now());
        let body = metrics.render();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            zhida_monitoring::metrics::CONTENT_TYPE,
            body.len()
        )?;
    }
    Ok(())
}
