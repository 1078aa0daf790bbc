//! The languages that the shop is written in, and what their OpenTelemetry SDKs call themselves.
//!
//! Real fleets mix SDKs of different age: some still send the RPC attributes of before 2026, and the oldest one even the
//! HTTP attributes of before 2023.

use std::sync::Arc;

use crate::span::Scope;

/// What a span is about; each language has its own instrumentation library for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    HttpServer,
    HttpClient,
    Grpc,
    Sql,
    Redis,
    Elasticsearch,
    Kafka,
}

/// Which version of the semantic conventions an SDK follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Conventions {
    /// `http.method`, `http.status_code`, `db.statement`: before the HTTP conventions became stable.
    Oldest,
    /// Stable HTTP and database names, but `rpc.system` and `rpc.grpc.status_code`.
    Stable,
    /// `rpc.system.name`, `rpc.method` with the service in it, `rpc.response.status_code`.
    Current,
}

impl Conventions {
    pub(crate) fn schema_url(self) -> &'static str {
        match self {
            Self::Oldest => "https://opentelemetry.io/schemas/1.17.0",
            Self::Stable => "https://opentelemetry.io/schemas/1.37.0",
            Self::Current => "https://opentelemetry.io/schemas/1.41.0",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Cpp,
    Dotnet,
    Erlang,
    Go,
    Java,
    Nodejs,
    Php,
    Python,
    Ruby,
    Rust,
}

/// Name and version of a library or a runtime.
pub(crate) type Named = (&'static str, &'static str);

pub(crate) struct LanguageFacts {
    /// `telemetry.sdk.language` and `telemetry.sdk.version`.
    pub(crate) sdk: Named,
    /// `process.runtime.name` and `process.runtime.version`.
    pub(crate) runtime: Named,
    pub(crate) conventions: Conventions,
    /// Instrumentation libraries in the order of [`Library`].
    libraries: [Named; 7],
}

impl Language {
    pub(crate) const ALL: [Self; 10] = [
        Self::Cpp,
        Self::Dotnet,
        Self::Erlang,
        Self::Go,
        Self::Java,
        Self::Nodejs,
        Self::Php,
        Self::Python,
        Self::Ruby,
        Self::Rust,
    ];

    pub(crate) fn facts(self) -> &'static LanguageFacts {
        match self {
            Self::Cpp => &CPP,
            Self::Dotnet => &DOTNET,
            Self::Erlang => &ERLANG,
            Self::Go => &GO,
            Self::Java => &JAVA,
            Self::Nodejs => &NODEJS,
            Self::Php => &PHP,
            Self::Python => &PYTHON,
            Self::Ruby => &RUBY,
            Self::Rust => &RUST,
        }
    }
}

/// The scopes of all languages, allocated once per shop.
#[derive(Debug)]
pub(crate) struct Scopes(Vec<[Arc<Scope>; 7]>);

impl Scopes {
    pub(crate) fn new() -> Self {
        let of = |language: &Language| {
            let facts = language.facts();
            facts.libraries.map(|(name, version)| {
                Arc::new(Scope {
                    name: name.into(),
                    version: version.into(),
                    schema_url: facts.conventions.schema_url().into(),
                    ..Scope::default()
                })
            })
        };
        Self(Language::ALL.iter().map(of).collect())
    }

    pub(crate) fn get(&self, language: Language, library: Library) -> Arc<Scope> {
        Arc::clone(&self.0[language as usize][library as usize])
    }
}

const CPP: LanguageFacts = LanguageFacts {
    sdk: ("cpp", "1.23.0"),
    runtime: ("gcc", "14.2.0"),
    conventions: Conventions::Stable,
    libraries: [
        ("http-server", "1.23.0"),
        ("http-client", "1.23.0"),
        ("grpc-c++", "1.73.0"),
        ("libpqxx", "7.10.1"),
        ("redis-plus-plus", "1.3.14"),
        ("elasticlient", "0.2"),
        ("librdkafka", "2.11.1"),
    ],
};

const DOTNET: LanguageFacts = LanguageFacts {
    sdk: ("dotnet", "1.13.1"),
    runtime: (".NET", "9.0.9"),
    conventions: Conventions::Current,
    libraries: [
        ("Microsoft.AspNetCore", "9.0.0"),
        ("System.Net.Http", "9.0.0"),
        (
            "OpenTelemetry.Instrumentation.GrpcNetClient",
            "1.13.0-beta.1",
        ),
        ("Npgsql", "9.0.4"),
        (
            "OpenTelemetry.Instrumentation.StackExchangeRedis",
            "1.13.0-beta.1",
        ),
        ("Elastic.Transport", "0.10.1"),
        (
            "OpenTelemetry.Instrumentation.ConfluentKafka",
            "0.1.0-alpha.4",
        ),
    ],
};

const ERLANG: LanguageFacts = LanguageFacts {
    sdk: ("erlang", "1.6.0"),
    runtime: ("BEAM", "28.1"),
    conventions: Conventions::Stable,
    libraries: [
        ("opentelemetry_bandit", "0.3.0"),
        ("opentelemetry_req", "1.0.0"),
        ("opentelemetry_grpcbox", "0.3.0"),
        ("opentelemetry_ecto", "1.2.0"),
        ("opentelemetry_redix", "0.1.1"),
        ("opentelemetry_finch", "1.1.0"),
        ("opentelemetry_broadway", "0.3.0"),
    ],
};

const GO: LanguageFacts = LanguageFacts {
    sdk: ("go", "1.41.0"),
    runtime: ("go", "go1.26.3"),
    conventions: Conventions::Current,
    libraries: [
        (
            "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
            "0.66.0",
        ),
        (
            "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
            "0.66.0",
        ),
        (
            "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
            "0.66.0",
        ),
        ("github.com/XSAM/otelsql", "0.41.0"),
        ("github.com/redis/go-redis/extra/redisotel", "9.17.0"),
        (
            "go.opentelemetry.io/contrib/instrumentation/elastic",
            "0.3.0",
        ),
        ("github.com/twmb/franz-go/plugin/kotel", "1.6.0"),
    ],
};

const JAVA: LanguageFacts = LanguageFacts {
    sdk: ("java", "1.58.0"),
    runtime: ("OpenJDK Runtime Environment", "25.0.1+8-LTS"),
    conventions: Conventions::Stable,
    libraries: [
        ("io.opentelemetry.tomcat-10.0", "2.24.0-alpha"),
        ("io.opentelemetry.java-http-client", "2.24.0-alpha"),
        ("io.opentelemetry.grpc-1.6", "2.24.0-alpha"),
        ("io.opentelemetry.jdbc", "2.24.0-alpha"),
        ("io.opentelemetry.lettuce-5.1", "2.24.0-alpha"),
        (
            "io.opentelemetry.elasticsearch-api-client-7.16",
            "2.24.0-alpha",
        ),
        ("io.opentelemetry.kafka-clients-0.11", "2.24.0-alpha"),
    ],
};

const NODEJS: LanguageFacts = LanguageFacts {
    sdk: ("nodejs", "2.4.0"),
    runtime: ("nodejs", "24.11.1"),
    conventions: Conventions::Current,
    libraries: [
        ("@opentelemetry/instrumentation-http", "0.210.0"),
        ("@opentelemetry/instrumentation-undici", "0.20.0"),
        ("@opentelemetry/instrumentation-grpc", "0.210.0"),
        ("@opentelemetry/instrumentation-pg", "0.62.0"),
        ("@opentelemetry/instrumentation-ioredis", "0.58.0"),
        ("@elastic/transport", "9.2.0"),
        ("@opentelemetry/instrumentation-kafkajs", "0.19.0"),
    ],
};

const PHP: LanguageFacts = LanguageFacts {
    sdk: ("php", "1.0.8"),
    runtime: ("fpm-fcgi", "8.1.33"),
    conventions: Conventions::Oldest,
    libraries: [
        ("io.opentelemetry.contrib.php.slim", "1.0.4"),
        ("io.opentelemetry.contrib.php.guzzle", "1.0.1"),
        ("io.opentelemetry.contrib.php.grpc", "0.0.2"),
        ("io.opentelemetry.contrib.php.pdo", "0.0.15"),
        ("io.opentelemetry.contrib.php.predis", "0.0.3"),
        ("io.opentelemetry.contrib.php.elasticsearch", "0.0.1"),
        ("io.opentelemetry.contrib.php.rdkafka", "0.0.4"),
    ],
};

const PYTHON: LanguageFacts = LanguageFacts {
    sdk: ("python", "1.40.0"),
    runtime: ("cpython", "3.13.9"),
    conventions: Conventions::Stable,
    libraries: [
        ("opentelemetry.instrumentation.fastapi", "0.61b0"),
        ("opentelemetry.instrumentation.httpx", "0.61b0"),
        ("opentelemetry.instrumentation.grpc", "0.61b0"),
        ("opentelemetry.instrumentation.psycopg", "0.61b0"),
        ("opentelemetry.instrumentation.redis", "0.61b0"),
        ("opentelemetry.instrumentation.elasticsearch", "0.61b0"),
        ("opentelemetry.instrumentation.confluent_kafka", "0.61b0"),
    ],
};

const RUBY: LanguageFacts = LanguageFacts {
    sdk: ("ruby", "1.10.0"),
    runtime: ("ruby", "3.4.7"),
    conventions: Conventions::Stable,
    libraries: [
        ("OpenTelemetry::Instrumentation::Rack", "0.29.0"),
        ("OpenTelemetry::Instrumentation::Faraday", "0.30.0"),
        ("OpenTelemetry::Instrumentation::Grpc", "0.4.0"),
        ("OpenTelemetry::Instrumentation::PG", "0.34.0"),
        ("OpenTelemetry::Instrumentation::Redis", "0.28.0"),
        ("OpenTelemetry::Instrumentation::Elasticsearch", "0.1.0"),
        ("OpenTelemetry::Instrumentation::Rdkafka", "0.9.0"),
    ],
};

const RUST: LanguageFacts = LanguageFacts {
    sdk: ("rust", "0.33.1"),
    runtime: ("rustc", "1.95.0"),
    conventions: Conventions::Current,
    libraries: [
        ("opentelemetry-instrumentation-tower", "0.19.0"),
        ("reqwest-tracing", "0.7.0"),
        ("tonic-tracing-opentelemetry", "0.34.0"),
        ("sqlx-tracing", "0.3.0"),
        ("fred", "10.1.0"),
        ("elasticsearch", "9.1.0"),
        ("rdkafka", "0.39.0"),
    ],
};
