import Glibc
import PMModel

extension SpawnFailure {
    /// A program that is not there.
    static let exec = SpawnFailure(.spawn(.exec), "/srv/web", code: ENOENT)
    /// A working directory that is not there.
    static let chdir = SpawnFailure(.spawn(.directory), "/srv/web", code: ENOENT)
    /// A process that was killed before its program ran.
    static let executor = SpawnFailure(.spawn(.executor), code: ECANCELED)
    /// Arguments that no kernel takes.
    static let tooLong = SpawnFailure(.spawn(.exec), "/srv/web", code: E2BIG)
}
