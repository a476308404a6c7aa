//! What is kept of conversations between their turns.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

/// Headers are kept as they are, whatever there is of them: no column has to be added for the next one.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS headers (conversation TEXT, name TEXT, value TEXT, PRIMARY KEY (conversation, name));
    CREATE TABLE IF NOT EXISTS messages (conversation TEXT, role TEXT, content TEXT);
";

pub struct Store(Connection);

#[derive(Debug, Serialize)]
pub struct Message {
    pub role: String,
    pub content: String,
}

impl Message {
    pub fn user(content: &str) -> Self {
        Self { role: "user".to_owned(), content: content.to_owned() }
    }

    pub fn assistant(content: &str) -> Self {
        Self { role: "assistant".to_owned(), content: content.to_owned() }
    }
}

impl Store {
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(TABLES)?;
        Ok(Self(connection))
    }

    /// The headers of a conversation's span; none if it is new.
    pub fn headers(&self, conversation: &str) -> rusqlite::Result<HashMap<String, String>> {
        let mut query = self.0.prepare("SELECT name, value FROM headers WHERE conversation = ?1")?;
        query.query_map([conversation], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    pub fn keep_headers(&self, conversation: &str, headers: &HashMap<String, String>) -> rusqlite::Result<()> {
        let mut insert = self.0.prepare("INSERT OR REPLACE INTO headers VALUES (?1, ?2, ?3)")?;
        for (name, value) in headers {
            insert.execute([conversation, name, value])?;
        }
        Ok(())
    }

    pub fn messages(&self, conversation: &str) -> rusqlite::Result<Vec<Message>> {
        let mut query = self.0.prepare("SELECT role, content FROM messages WHERE conversation = ?1 ORDER BY rowid")?;
        query.query_map([conversation], |row| Ok(Message { role: row.get(0)?, content: row.get(1)? }))?.collect()
    }

    pub fn add(&self, conversation: &str, message: &Message) -> rusqlite::Result<()> {
        let message = [conversation, &message.role, &message.content];
        self.0.execute("INSERT INTO messages VALUES (?1, ?2, ?3)", message).map(|_| ())
    }
}
