import Glibc
import PMCommands

/// The environment as a dictionary; of a variable that is there twice the first counts, as for getenv(3).
private func environment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "=") {
            let name = String(text[..<equals])
            if variables[name] == nil { variables[name] = String(text[text.index(after: equals)...]) }
        }
        next += 1
    }
    return variables
}

/// A standard descriptor that is closed would be the next socket's, and results would be sent to the daemon: the place is
/// taken by something that cannot be read or written.
private func occupyStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
        // It gets the number that is free; if /dev/null cannot be opened, nothing better can be done.
        _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
}

occupyStandardDescriptors()
exit(Program.run(Array(CommandLine.arguments.dropFirst()), environment: environment()))
