internal import Glibc
internal import JSON
internal import PMModel

/// The checks that need no further words.
private enum PlainCheck: String, CaseIterable {
    case started, rpc, ipc, notify

    var check: ReadinessCheck {
        switch self {
        case .started: .started
        case .rpc: .rpc
        case .ipc: .ipc
        case .notify: .notify
        }
    }
}

extension ConfigReader {
    static let readinessWords = PlainCheck.allCases.map { JSONValue.string($0.rawValue) }
    static let checkKeys = ["check", "fd", "tcp", "http", "exec", "log", "probe"]

    /// `"rpc"`, or an object with one check and perhaps a deadline.
    mutating func readiness(_ place: ConfigNode, _ mapping: inout Mapping) {
        guard case .object = place.node.shape else {
            mapping.readiness = plainCheck(place)
            return
        }
        var checks: [ReadinessCheck?] = []
        for member in members(of: place) {
            let child = place.child(member)
            switch member.key {
            case "deadline": mapping.readyDeadline = deadline(child) ?? mapping.readyDeadline
            case "check": checks.append(plainCheck(child))
            case "fd": checks.append(descriptor(child))
            case "tcp": checks.append(address(child))
            case "http": checks.append(httpURL(child))
            case "exec": checks.append(program(child).map { .exec($0) })
            case "log": checks.append(pattern(child))
            case "probe": checks.append(probe(child).map { .probe($0) })
            default: unknown(member, in: place, known: Self.checkKeys + ["deadline"])
            }
        }
        if checks.count > 1 { report("only one of \(listed(Self.checkKeys)) may be given", at: place) }
        mapping.readiness = checks.first ?? nil
    }

    private mutating func plainCheck(_ place: ConfigNode) -> ReadinessCheck? {
        let plain: PlainCheck? = choice(place)
        return plain?.check
    }

    private mutating func deadline(_ place: ConfigNode) -> Duration? {
        guard let deadline = duration(place) else { return nil }
        if deadline == .zero { report("must be longer than 0", at: place) }
        return deadline
    }

    /// 0, 1 and 2 are taken, 3 is the channel of Node services.
    private mutating func descriptor(_ place: ConfigNode) -> ReadinessCheck? {
        if let number = scalar(place).int, (3...255).contains(number) { return .descriptor(Int32(number)) }
        expected("a descriptor number from 3 to 255", at: place)
        return nil
    }

    /// A program and its arguments.
    mutating func program(_ place: ConfigNode) -> [String]? {
        let words = elements(of: place, #"a program and its arguments, ["curl", "-f", "…"] for example"#)
            .compactMap { argument($0) }
        if let first = words.first, !first.isEmpty { return words }
        if case .array = place.node.shape { report("must begin with a program", at: place) }
        return nil
    }

    /// A port, `host:port` or `[address]:port`.
    mutating func address(_ place: ConfigNode) -> ReadinessCheck? {
        let text = place.node.string ?? place.node.int.map { "\($0)" } ?? ""
        let colon = text.utf8.lastIndex(of: UInt8(ascii: ":"))
        let digits = colon.map { text[text.utf8.index(after: $0)...] } ?? text[...]
        var host = colon.map { String(text[..<$0]) } ?? "127.0.0.1"
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.utf8.contains(UInt8(ascii: ":")) {
            host = ""
        }
        if let port = UInt16(digits), port > 0, !host.isEmpty, !host.utf8.contains(0) {
            return isKnown(host, at: place) ? .tcp(host: host, port: port) : nil
        }
        expected(#"a port, "host:port" or "[address]:port""#, at: place)
        return nil
    }

    /// Refuses names: a look-up could block the daemon, so that the check would never succeed.
    private mutating func isKnown(_ host: String, at place: ConfigNode) -> Bool {
        if LocalHost.isName(host) || NumericAddress.isAnyIPv4(host) || NumericAddress.isIPv6(host) { return true }
        report("the host must be localhost or an address such as 127.0.0.1 or [::1]: pm looks up no names", at: place)
        return false
    }

    mutating func httpURL(_ place: ConfigNode) -> ReadinessCheck? {
        guard let url = string(place) else { return nil }
        let prefix = "http://"
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
        if url.hasPrefix(prefix), isPlain, !url.dropFirst(prefix.count).isEmpty, url.utf8.dropFirst(7).first != 0x2f {
            let authority = url.dropFirst(prefix.count).prefix { $0 != "/" && $0 != "?" }
            let host =
                authority.hasPrefix("[")
                ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
            return isKnown(String(host), at: place) ? .http(url: url) : nil
        }
        expected(#"a URL such as "http://127.0.0.1:3000/health""#, at: place)
        return nil
    }

    /// A text, or a POSIX extended regular expression between slashes.
    private mutating func pattern(_ place: ConfigNode) -> ReadinessCheck? {
        guard let text = filledString(place) else { return nil }
        if text.utf8.count > 2, text.hasPrefix("/"), text.hasSuffix("/") {
            if let reason = regexProblem(String(text.dropFirst().dropLast())) {
                report("the regular expression cannot be used: \(reason)", at: place)
                return nil
            }
        }
        return .logLine(pattern: text)
    }

    /// The message of regcomp(3) about a bad expression.
    private func regexProblem(_ expression: String) -> String? {
        var compiled = regex_t()
        let code = regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB)
        guard code != 0 else {
            regfree(&compiled)
            return nil
        }
        var text = [CChar](repeating: 0, count: 200)
        regerror(code, &compiled, &text, text.count)
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }
}
