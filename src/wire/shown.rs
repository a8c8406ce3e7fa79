//! `Debug` of values that show a part of themselves.

/// `Debug` of a part of a type: `partly_shown!([T] it: Mailbox<T> { name, lost: it.lost() });`.
macro_rules! partly_shown {
    ($([$generic:ident])? $name:ident $(<$($of:tt),*>)?) => {
        partly_shown!($([$generic])? it: $name $(<$($of),*>)? {});
    };
    ($([$generic:ident])? $it:ident: $name:ident $(<$($of:tt),*>)? { $($field:ident $(: $value:expr)?),* }) => {
        impl $(<$generic>)? core::fmt::Debug for $name $(<$($of),*>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let $it = self;
                let _ = $it;
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &partly_shown!(@ $it $field $($value)?)))*
                    .finish_non_exhaustive()
            }
        }
    };
    (@ $it:ident $field:ident) => { $it.$field };
    (@ $it:ident $field:ident $value:expr) => { $value };
}

pub(crate) use partly_shown;
