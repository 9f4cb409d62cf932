//! A crowd before a PostgreSQL: it takes every connection there is, those of others included, and keeps them. Not a way to
//! stop a server.

use sqlx::{Connection, PgConnection};

/// Everything a server has to give. The connections are free again when it is dropped.
pub struct Crowd {
    connections: Vec<PgConnection>,
}

impl Crowd {
    /// Ends everybody else's connections and takes their places until nobody else has one. `url`: a superuser's, for a server
    /// of this test alone.
    pub async fn takes_everything(url: &str) -> Self {
        let mut crowd = Self { connections: vec![PgConnection::connect(url).await.expect("one connection is free")] };
        loop {
            while let Ok(connection) = PgConnection::connect(url).await {
                crowd.connections.push(connection);
            }
            if crowd.ends_others().await == 0 {
                return crowd;
            }
        }
    }

    /// How many connections of others there were.
    async fn ends_others(&mut self) -> usize {
        let mut own: Vec<i32> = Vec::new();
        for connection in &mut self.connections {
            own.push(sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await.expect("a pid"));
        }
        let others = "select pg_terminate_backend(pid) from pg_stat_activity \
            where backend_type = 'client backend' and pid <> all($1)";
        let ended: Vec<bool> =
            sqlx::query_scalar(others).bind(own).fetch_all(&mut self.connections[0]).await.expect("a superuser");
        ended.len()
    }
}
