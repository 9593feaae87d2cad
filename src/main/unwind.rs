//! A released program does not walk up its stack: a panic says where it happened and ends the process, and the tables
//! and names that would tell how it came there are left out (ARCHITECTURE.md, "Build"). std would look for them all the
//! same, with 0.2 MB of readers of DWARF, of zlib and of mangled names. It asks these functions of libgcc for its way;
//! since they show no way, all of that falls out of the program, and libgcc with it.
//!
//! Nothing here is unsafe to call. What Rust calls unsafe is to give a function a name that the linker knows.

use std::ffi::c_void;
use std::process;

/// `_URC_END_OF_STACK`: no frame is left to tell of.
const END_OF_STACK: i32 = 5;

/// Who wants to be told of every frame is told of none.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_tell: *const c_void, _told: *mut c_void) -> i32 {
    END_OF_STACK
}

/// Called while a stack is unwound only, and where a panic aborts none is.
macro_rules! never_called {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> ! {
            process::abort()
        }
    )* };
}

never_called! {
    _Unwind_GetDataRelBase
    _Unwind_GetIPInfo
    _Unwind_GetLanguageSpecificData
    _Unwind_GetRegionStart
    _Unwind_GetTextRelBase
    _Unwind_Resume
    _Unwind_SetGR
    _Unwind_SetIP
}
