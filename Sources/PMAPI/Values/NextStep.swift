import PMModel

/// The next step after a failure of a service, by the kind of its fault.
struct NextStep {
    let service: String
    let death: DeathRecord

    /// One sentence.
    var sentence: String {
        switch death.reason {
        case .spawnFailed(let failure): failure.hint(for: service)
        case .notReady: "\(log); \"ready\" of its mapping has the check and its deadline"
        case .memory(.some): "\(log); \"limits.memory\" of its mapping is its limit"
        case .memory(.none): "give the machine more memory, or \(service) a \"limits.memory\""
        case .unresponsive: "\(log); \"live\" of its mapping has the check"
        case .exited(let code): ofFault ?? ofExitCode(code) ?? log
        case .signaled: ofFault ?? log
        }
    }

    private var log: String { "pm log \(service.shellWord)" }

    private var ofFault: String? {
        guard let fault = death.fault else { return nil }
        return address(fault.message) ?? module(fault) ?? program(fault.message)
            ?? fault.place.map { "the fault is at \($0.text); \(log) shows all output" }
    }

    /// `listen EADDRINUSE: address already in use :::3000`.
    private func address(_ message: String) -> String? {
        let words = message.split(separator: " ").map(String.init)
        if message.contains("EADDRINUSE") || message.contains("Address already in use") {
            guard let last = words.last, let colon = last.lastIndex(of: ":"),
                let port = UInt16(last[last.index(after: colon)...])
            else {
                return "another program listens there already: ss -ltnp shows which; end it, or choose another address"
            }
            return
                "another program listens at port \(port): ss -ltnp 'sport = :\(port)' shows which; end it, or choose "
                + "another port"
        }
        guard message.contains("listen EACCES") else { return nil }
        return "choose a port from 1024 on, or let pm open it: \"listen\" of its mapping"
    }

    /// A module that is not there: of a package, or a file.
    private func module(_ fault: Fault) -> String? {
        for (mark, command) in [
            ("Cannot find module '", "npm install"), ("Cannot find package '", "npm install"),
            ("No module named '", "pip install"),
        ] {
            guard let start = fault.message.firstRange(of: mark) else { continue }
            let name = String(fault.message[start.upperBound...].prefix { $0 != "'" })
            guard !name.hasPrefix("."), !name.hasPrefix("/"), !name.hasPrefix("file:") else {
                let place = fault.place.map { " at \($0.text)" } ?? ""
                return "there is no file \(name): correct the import\(place)"
            }
            let package = name.split(separator: "/").prefix(name.hasPrefix("@") ? 2 : 1).joined(separator: "/")
            return "\(command) \(package), in the folder of the program"
        }
        return nil
    }

    /// A program that a shell does not find, or may not run.
    private func program(_ message: String) -> String? {
        let parts = message.split(separator: ": ").map(String.init)
        guard parts.count >= 2, let cause = parts.last else { return nil }
        let name = parts[parts.count - 2]
        if cause == "not found" || cause == "command not found" {
            return "install \(name), or set PATH under \"env\" of its mapping"
        }
        return cause == "Permission denied" ? "make \(name) executable (chmod +x) for the user that it runs as" : nil
    }

    private func ofExitCode(_ code: Int32) -> String? {
        switch code {
        case 126: "a program that it runs is not executable; \(log)"
        case 127: "a program that it runs is not in its PATH: set PATH under \"env\" of its mapping; \(log)"
        default: nil  // a number, not an enum of ours
        }
    }
}
