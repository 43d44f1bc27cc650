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

exit(Program.run(Array(CommandLine.arguments.dropFirst()), environment: environment()))
