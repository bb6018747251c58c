//! What the tests of both servers have in common.
//!
//! A test whose server cannot be run fails: what is not tested is not known to work.

pub(crate) mod faults;
pub(crate) mod meaning;
pub(crate) mod server;
pub(crate) mod stampede;
pub(crate) mod subject;

/// The tests that are the same for both servers, as tests of the one that is named.
macro_rules! both_servers {
    ($kind:ident) => {
        remote::both_servers! { $kind
            meaning:
                a_result_is_computed_once keys_may_be_long_or_binary other_types_do_not_meet errors_are_not_kept
                results_expire_in_time results_may_be_kept_for_months results_are_invalidated_and_cleared
                invalidation_reaches_what_is_being_computed a_function_that_cannot_be_shared_runs
                any_thread_and_runtime_may_ask without_a_runtime_the_body_runs;
            faults: absent_at_start killed_and_restarted restarted_between_calls stopped_for_seconds no_server_at_all;
            stampede: a_lease_is_given_back nobody_waits_for_ever threads_wait_for_each_other;
        }

        #[test]
        fn eight_processes_run_the_body_once() {
            remote::stampede::eight_processes_run_the_body_once($kind, "one_of_eight");
        }

        #[test]
        #[ignore = "run by `eight_processes_run_the_body_once`"]
        fn one_of_eight() {
            remote::stampede::child($kind);
        }
    };
    ($kind:ident $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                remote::$module::$name($kind);
            }
        )*)*
    };
}
pub(crate) use both_servers;
