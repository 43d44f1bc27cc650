import Glibc
import PMCommands

/// A standard descriptor that is closed would be the next socket's, and results would be sent to the daemon: the place is
/// taken by something that cannot be read or written.
private func occupyStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
        // It gets the number that is free; if /dev/null cannot be opened, nothing better can be done.
        _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
}

occupyStandardDescriptors()
exit(Program.run(Program.arguments(), environment: Program.environment()))
