internal import JSON
internal import PMModel

extension ConfigReader {
    static let sandboxKeys = ["preset", "writable", "systemCalls"]
    static let listenKeys = ["address", "type", "name", "backlog", "mode"]

    /// The keys about what it may do; false when this is none of them.
    mutating func rights(_ key: String, _ place: ConfigNode, _ mapping: inout Mapping) -> Bool {
        let isNull = place.node.isNull
        switch key {
        case "limits": if !isNull { mapping.limits = limits(place) }
        case "user": mapping.user = isNull ? nil : account(place)
        case "group": mapping.group = isNull ? nil : account(place)
        case "umask": mapping.umask = isNull ? nil : permissions(place)
        case "sandbox": if !isNull { mapping.sandbox = sandbox(place) }
        case "listen": if !isNull { mapping.listen = listenPoints(place) }
        case "routes": mapping.routes = isNull ? nil : routes(place)
        default: return false
        }
        return true
    }

    /// A list of paths, each with a method before it or none.
    private mutating func routes(_ place: ConfigNode) -> [RoutePattern] {
        elements(of: place, "an array of paths").compactMap { place in
            if let pattern = place.node.string.flatMap(RoutePattern.init(entry:)) { return pattern }
            expected(#"a path such as "/login", "/users/{id}", "/files/*" or "POST /login""#, at: place)
            return nil
        }
    }

    /// A name, or a number.
    private mutating func account(_ place: ConfigNode) -> String? {
        let text = place.node.int.flatMap { $0 < 0 ? nil : "\($0)" } ?? place.node.string ?? ""
        guard !text.isEmpty, !text.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ":") || $0 == 0x7f }) else {
            expected("a name or a number of an account", at: place)
            return nil
        }
        switch AccountID.read(text) {
        case .number, .name: return text
        case .neither(let reason):
            report(
                "\(place.node.value.summary) \(reason)", at: place,
                hint: "give the account's name, or its number in plain digits")
            return nil
        }
    }

    private mutating func permissions(_ place: ConfigNode) -> UInt32? {
        if case .string(let text) = place.node.shape, (1...4).contains(text.utf8.count),
            let bits = UInt32(text, radix: 8), bits <= 0o777, text.utf8.first != UInt8(ascii: "+")
        {
            return bits
        }
        expected(#"permissions as octal text from "0" to "0777", such as "0027""#, at: place)
        return nil
    }

    /// A preset, or an object with one and what may be written to.
    private mutating func sandbox(_ place: ConfigNode) -> Sandbox {
        var sandbox = Sandbox()
        guard case .object = place.node.shape else {
            sandbox.preset = preset(place) ?? .none
            return sandbox
        }
        for member in members(of: place) {
            let child = place.child(member)
            switch member.key {
            case "preset": sandbox.preset = preset(child) ?? .none
            case "writable": sandbox.writable = strings(child)
            case "systemCalls": sandbox.systemCalls = calls(child) ?? .allowList
            default: unknown(member, in: place, known: Self.sandboxKeys)
            }
        }
        if sandbox.preset == .none, !sandbox.writable.isEmpty {
            report(#""writable" has an effect only with the preset "basic" or "strict""#, at: place)
        }
        if sandbox.preset != .strict, sandbox.systemCalls != .allowList {
            report(#""systemCalls" has an effect only with the preset "strict""#, at: place)
        }
        return sandbox
    }

    private mutating func preset(_ place: ConfigNode) -> Sandbox.Preset? { choice(place) }
    private mutating func calls(_ place: ConfigNode) -> Sandbox.Calls? { choice(place) }

    /// One address, or a list of addresses and objects.
    private mutating func listenPoints(_ place: ConfigNode) -> [ListenPoint] {
        guard case .array = place.node.shape else { return [listenPoint(place)].compactMap { $0 } }
        let points = place.node.elements.indices.compactMap { listenPoint(place.child($0)) }
        if points.count > ListenPoint.most { report("at most \(ListenPoint.most) sockets can be opened", at: place) }
        for (index, point) in points.enumerated()
        where points[..<index].contains(where: { $0.address == point.address && $0.kind == point.kind }) {
            report("\(point.text) is listed twice", at: place)
        }
        return points
    }

    private mutating func listenPoint(_ place: ConfigNode) -> ListenPoint? {
        guard case .object = place.node.shape else { return listenAddress(place).map { ListenPoint($0) } }
        var point: ListenPoint?
        for member in members(of: place) where member.key == "address" {
            point = listenAddress(place.child(member)).map { ListenPoint($0) }
        }
        guard var point else {
            if !place.node.members.contains(where: { $0.key == "address" }) {
                report("needs an \"address\"", at: place)
            }
            return nil
        }
        for member in members(of: place) where !member.node.isNull {
            let child = place.child(member)
            switch member.key {
            case "address": break
            case "type": point.kind = kind(child) ?? .stream
            case "name": point.name = descriptorName(child)
            case "backlog": point.backlog = backlog(child)
            case "mode": point.mode = permissions(child) ?? point.mode
            default: unknown(member, in: place, known: Self.listenKeys)
            }
        }
        return point
    }

    private mutating func kind(_ place: ConfigNode) -> ListenPoint.Kind? { choice(place) }

    /// As sd_listen_fds_with_names(3) takes it.
    private mutating func descriptorName(_ place: ConfigNode) -> String? {
        guard let name = filledString(place) else { return nil }
        if name.utf8.count <= 255, name.utf8.allSatisfy({ (0x21..<0x7f).contains($0) && $0 != UInt8(ascii: ":") }) {
            return name
        }
        expected("a name of at most 255 letters of ASCII without blanks and ':'", at: place)
        return nil
    }

    private mutating func backlog(_ place: ConfigNode) -> Int {
        if let number = scalar(place).int, (1...65_535).contains(number) { return number }
        expected("a whole number from 1 to 65535", at: place)
        return 1
    }

    /// A port, `address:port`, or a path.
    private mutating func listenAddress(_ place: ConfigNode) -> ListenPoint.Address? {
        let text = place.node.string ?? place.node.int.flatMap { $0 < 0 ? nil : "\($0)" } ?? ""
        if text.utf8.contains(UInt8(ascii: "/")), !text.utf8.contains(0) { return .unix(path: text) }
        let colon = text.utf8.lastIndex(of: UInt8(ascii: ":"))
        let digits = colon.map { text[text.utf8.index(after: $0)...] } ?? text[...]
        if let port = UInt16(digits), port > 0, let host = Self.host(colon.map { text[..<$0] } ?? "127.0.0.1") {
            return .internet(host: host, port: port)
        }
        expected(
            #"a port of 127.0.0.1 such as 8080, "0.0.0.0:8080", "[::]:8080", or a path such as "./web.sock""#, at: place
        )
        return nil
    }

    /// A numeric address; names would have to be looked up while services wait.
    private static func host(_ text: Substring) -> String? {
        if text == "localhost" { return "127.0.0.1" }
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = String(text.dropFirst().dropLast())
            return NumericAddress.isIPv6(inner) ? inner : nil
        }
        return NumericAddress.isIPv4(String(text)) ? String(text) : nil
    }

    /// Sockets begin at descriptor 3, and what else a program gets follows them.
    mutating func checkDescriptors(of mapping: Mapping, _ place: ConfigNode) {
        guard case .descriptor(let number) = mapping.readiness, number < 3 + mapping.listen.count else { return }
        report(
            "descriptor \(number) of \"ready\" is one of the sockets of \"listen\", which are 3 to "
                + "\(2 + mapping.listen.count)", at: place)
    }
}
