//! The rows that a finished run of the real thing left, cut into its transactions: every row bears the time of the transaction
//! that wrote it. Later states overwrite earlier ones, so those of new and claimed payouts are put back by hand.

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, HashMap};

/// Values of one column.
#[derive(Clone)]
pub(crate) enum Column {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
    Bools(Vec<bool>),
}

impl Column {
    fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Ints(all) => Self::Ints(rows.iter().map(|row| all[*row]).collect()),
            Self::Texts(all) => Self::Texts(rows.iter().map(|row| all[*row].clone()).collect()),
            Self::Blobs(all) => Self::Blobs(rows.iter().map(|row| all[*row].clone()).collect()),
            Self::Bools(all) => Self::Bools(rows.iter().map(|row| all[*row]).collect()),
        }
    }

    fn sql_type(&self) -> &'static str {
        match self {
            Self::Ints(_) => "bigint[]",
            Self::Texts(_) => "text[]",
            Self::Blobs(_) => "bytea[]",
            Self::Bools(_) => "boolean[]",
        }
    }
}

/// A statement with its parameters, ready to be sent.
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Column>,
}

/// Rows of a table.
#[derive(Clone)]
pub(crate) struct Rows {
    table: &'static str,
    names: Vec<String>,
    columns: Vec<Column>,
    count: usize,
}

impl Rows {
    /// Every row of a table, without columns that the database numbers itself.
    pub(crate) async fn read(pool: &PgPool, table: &'static str) -> Self {
        let columns = "select column_name::text, data_type::text from information_schema.columns where table_name = $1 \
            and table_schema = 'public' and is_identity = 'NO' order by ordinal_position";
        let columns: Vec<(String, String)> = sqlx::query_as(columns).bind(table).fetch_all(pool).await.unwrap();
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let sql = format!("select {} from {table}", names.join(", "));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
        let read = |(place, (_, data_type)): (usize, &(String, String))| match data_type.as_str() {
            "bigint" => Column::Ints(rows.iter().map(|row: &PgRow| row.get(place)).collect()),
            "bytea" => Column::Blobs(rows.iter().map(|row| row.get(place)).collect()),
            "boolean" => Column::Bools(rows.iter().map(|row| row.get(place)).collect()),
            _ => Column::Texts(rows.iter().map(|row| row.get(place)).collect()),
        };
        let values = columns.iter().enumerate().map(read).collect();
        Self { table, columns: values, count: rows.len(), names }
    }

    fn column(&self, name: &str) -> &Column {
        &self.columns[self.names.iter().position(|one| one == name).unwrap_or_else(|| panic!("no column {name}"))]
    }

    pub(crate) fn texts(&self, name: &str) -> &[Option<String>] {
        match self.column(name) {
            Column::Texts(all) => all,
            _ => panic!("{name} is no text"),
        }
    }

    pub(crate) fn ints(&self, name: &str) -> &[Option<i64>] {
        match self.column(name) {
            Column::Ints(all) => all,
            _ => panic!("{name} is no number"),
        }
    }

    pub(crate) fn blobs(&self, name: &str) -> &[Option<Vec<u8>>] {
        match self.column(name) {
            Column::Blobs(all) => all,
            _ => panic!("{name} is no byte string"),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|one| one == name)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Some of them.
    pub(crate) fn pick(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.pick(rows)).collect();
        Self { table: self.table, names: self.names.clone(), columns, count: rows.len() }
    }

    /// The same with one value in every row of some columns.
    pub(crate) fn with(mut self, overwritten: &[(&str, Put)]) -> Self {
        for (name, put) in overwritten {
            let place = self.names.iter().position(|one| one == name).unwrap_or_else(|| panic!("no column {name}"));
            self.columns[place] = match (put, &self.columns[place]) {
                (Put::Null, Column::Ints(_)) => Column::Ints(vec![None; self.count]),
                (Put::Null, Column::Blobs(_)) => Column::Blobs(vec![None; self.count]),
                (Put::Null, _) => Column::Texts(vec![None; self.count]),
                (Put::Int(it), _) => Column::Ints(vec![Some(*it); self.count]),
                (Put::Text(it), _) => Column::Texts(vec![Some((*it).to_owned()); self.count]),
                (Put::Bool(it), _) => Column::Bools(vec![*it; self.count]),
                (Put::Like(other), _) => self.column(other).clone(),
            };
        }
        self
    }

    /// One statement that writes them all.
    pub(crate) fn insert(&self, tail: &str) -> Option<Statement> {
        let (table, names) = (self.table, self.names.join(", "));
        let arrays = self.columns.iter().enumerate().map(|(n, column)| format!("${}::{}", n + 1, column.sql_type()));
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let sql = format!("insert into {table} ({names}) select * from unnest({arrays}) {tail}");
        (self.count > 0).then(|| Statement { sql, values: self.columns.clone() })
    }

    /// One statement that sets every column but the keys and the `fixed` ones.
    pub(crate) fn update(&self, keys: &[&str], fixed: &[&str]) -> Option<Statement> {
        let table = self.table;
        let kept = self.names.iter().enumerate().filter(|(_, name)| !fixed.contains(&name.as_str()));
        let (places, names): (Vec<usize>, Vec<&str>) = kept.map(|(place, name)| (place, name.as_str())).unzip();
        let arrays = places.iter().enumerate();
        let arrays: Vec<String> =
            arrays.map(|(n, place)| format!("${}::{}", n + 1, self.columns[*place].sql_type())).collect();
        let sets = names.iter().filter(|name| !keys.contains(name)).map(|name| format!("{name} = new.{name}"));
        let by: Vec<String> = keys.iter().map(|name| format!("{table}.{name} = new.{name}")).collect();
        let sql = format!(
            "update {table} set {} from unnest({}) as new ({}) where {}",
            sets.collect::<Vec<_>>().join(", "),
            arrays.join(", "),
            names.join(", "),
            by.join(" and ")
        );
        let values = places.iter().map(|place| self.columns[*place].clone()).collect();
        (self.count > 0).then_some(Statement { sql, values })
    }

    /// Places of the rows, by the time in a column.
    fn by_time(&self, name: &str) -> BTreeMap<i64, Vec<usize>> {
        let mut by_time: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (place, time) in self.ints(name).iter().enumerate() {
            by_time.entry(time.unwrap_or_default()).or_default().push(place);
        }
        by_time
    }

    /// Places of the rows, by the text in a column.
    pub(crate) fn by_text(&self, name: &str) -> HashMap<&str, Vec<usize>> {
        let mut by_text: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, text) in self.texts(name).iter().enumerate() {
            by_text.entry(text.as_deref().unwrap_or_default()).or_default().push(place);
        }
        by_text
    }
}

/// What is put into a column.
pub(crate) enum Put {
    Null,
    Int(i64),
    Text(&'static str),
    Bool(bool),
    /// What stands in another column.
    Like(&'static str),
}

/// Tables whose rows bear the time of the transaction that wrote them, and the column that says it.
const TIMED: [(&str, &str); 9] = [
    ("payouts", "received_at"),
    ("enterprises", "since"),
    ("instructions", "minted_at"),
    ("inbox", "received_at"),
    ("batches", "created_at"),
    ("postings", "at"),
    ("evidence", "at"),
    ("journal", "at"),
    ("outbox", "created_at"),
];

/// Everything a run left.
pub(crate) struct Recording {
    tables: BTreeMap<&'static str, Rows>,
    times: BTreeMap<&'static str, BTreeMap<i64, Vec<usize>>>,
}

impl Recording {
    pub(crate) async fn read(pool: &PgPool) -> Self {
        let (mut tables, mut times) = (BTreeMap::new(), BTreeMap::new());
        for (table, column) in TIMED {
            let rows = Rows::read(pool, table).await;
            times.insert(table, rows.by_time(column));
            tables.insert(table, rows);
        }
        for table in ["inbox_bodies", "batch_members", "caps"] {
            tables.insert(table, Rows::read(pool, table).await);
        }
        Self { tables, times }
    }

    pub(crate) fn rows(&self, table: &str) -> &Rows {
        &self.tables[table]
    }

    /// Times at which a table was written to.
    pub(crate) fn times(&self, table: &str) -> impl Iterator<Item = (i64, &[usize])> {
        self.times[table].iter().map(|(time, places)| (*time, places.as_slice()))
    }

    /// What one transaction wrote into a table.
    pub(crate) fn at(&self, table: &str, time: i64) -> Rows {
        self.rows(table).pick(self.times[table].get(&time).map_or(&[], Vec::as_slice))
    }
}
