//! Environment variables, of which `PERFKIT` asks for reports of a program whose code has attributes and nothing else.
//!
//! ```sh
//! PERFKIT=table cargo run                       # the tables, on standard error, when the program ends
//! PERFKIT=json=perf.json,table:all cargo run    # a file for programs, and every row for you
//! ```
//!
//! # `PERFKIT`
//!
//! Words between commas, in any order:
//!
//! | word | what it does |
//! |---|---|
//! | `table` | prints the tables to standard error when the process ends; `table:all` prints every row |
//! | `table=PATH`, `table:all=PATH` | writes them to a file, as wide as they are and without colours |
//! | `json=PATH` | writes the report as [JSON](crate::Report::to_json) |
//! | `pstats=PATH` | writes a file that [Python's profile viewers](crate::Report::to_pstats) open |
//! | `budget=3%` | samples the calls of short functions, so that timing them takes no more than that of their time ([`set_budget`](crate::set_budget())) |
//! | `off` | measures nothing; caches and pools go on working |
//!
//! `%p` in a path stands for the process's number. A relative path is in the directory where the process was when it read the variable. A file
//! that exists is replaced by a whole new one; where the path is a link, what it leads to is. What is under `/dev`, and a pipe, is added to.
//!
//! The variable is read once: when the first instrumented function runs, or when [`report()`](crate::report()) or [`session()`](crate::session()) is
//! called. **A program in which neither happens never reads it**, so it prints nothing, also where a word is misspelt. Otherwise a
//! word that means nothing is reported on standard error, and the others are obeyed; so is a file that cannot be
//! written. The program's own exit code is never changed.
//!
//! # Which ends it sees
//!
//! | the process | `PERFKIT` | [`session()`](crate::session()) |
//! |---|---|---|
//! | returns from `main`, also with an `Err` | reports | reports |
//! | panics | reports | reports |
//! | calls `std::process::exit` | reports | does not: nothing is dropped |
//! | panics, compiled with `panic = "abort"` | does not | does not |
//! | aborts, calls `_exit`, or becomes another program (`exec`) | does not | does not |
//! | is ended by a signal, as Ctrl-C does | does not | does not |
//!
//! Calls that are running at the end, on whatever thread, are shown as in flight, with their time so far. A program that is to be ended by
//! a signal may handle it and return from `main`, or print [`report()`](crate::report()) now and then.
//!
//! A **forked child** has its parent's measurements in it and would report them a second time, so it says nothing. Where its first instrumented call
//! comes after the fork it reads the variable itself, and reports for itself; `%p` keeps the files apart.
//!
//! All this needs the C library's `atexit`, which perfkit uses on Unix; elsewhere use [`session()`](crate::session()).
//!
//! # The look of tables
//!
//! | variable | what it does |
//! |---|---|
//! | `NO_COLOR` | set to anything but nothing, forbids colours |
//! | `CLICOLOR_FORCE` | set to anything but nothing or `0`, asks for colours where standard error is no terminal; those of `table=PATH` have none anyway |
//! | `TERM=dumb` | a terminal without colours |
//! | `COLUMNS` | how wide tables are, in place of the terminal's width; without a terminal they are as wide as they take |
//!
//! # Results shared between processes
//!
//! With the features `memcached`, `redis` and `disk`; what the program says with `perfkit::remote()` comes first.
//!
//! | variable | where results are | default |
//! |---|---|---|
//! | `PERFKIT_MEMCACHED` | `host:port` of a memcached server | `127.0.0.1:11211` |
//! | `PERFKIT_REDIS` | `redis://[[user]:password@]host[:port][/database]` | `redis://127.0.0.1:6379` |
//! | `PERFKIT_DISK` | a file | `perfkit/<program>.redb` in the user's directory for caches |
//!
//! # Benchmarks
//!
//! `PERFKIT_JUDGE=always` judges [targets](macro@crate::benchmark) in debug builds, too.
