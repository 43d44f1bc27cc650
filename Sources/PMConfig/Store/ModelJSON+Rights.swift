internal import JSON
internal import PMModel

extension Mapping {
    /// The members about what it may do; what is at its default is left out.
    func addRights(to object: inout JSONObject) {
        if limits != Limits() { object["limits"] = limits.json }
        object["user"] = user.map(JSONValue.string)
        object["group"] = group.map(JSONValue.string)
        object["umask"] = umask.map { .string(octal($0)) }
        if sandbox != Sandbox() { object["sandbox"] = sandbox.json }
        object["routes"] = routes.map { .array($0.map { .string($0.text) }) }
        if !listen.isEmpty { object["listen"] = .array(listen.map(\.json)) }
    }
}

private func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }

extension Limits {
    var json: JSONValue {
        var object: JSONObject = [:]
        object["memory"] = memory.map { .string(SizeText.text($0)) }
        object["memoryHigh"] = memoryHigh.map { .string(SizeText.text($0)) }
        object["cpu"] = cpu.map { .string(Self.percent($0)) }
        object["pids"] = pids.map { JSONValue($0) }
        if io != IOLimits() { object["io"] = io.json }
        object["nofile"] = openFiles.map { JSONValue($0) }
        object["nice"] = nice.map { JSONValue(Int($0)) }
        object["oomScoreAdjust"] = oomScoreAdjust.map { JSONValue(Int($0)) }
        return .object(object)
    }

    /// Text of a share of a processor: `50%`, `12.5%`.
    private static func percent(_ microseconds: Int) -> String {
        let (whole, thousandths) = microseconds.quotientAndRemainder(dividingBy: 1000)
        if thousandths == 0 { return "\(whole)%" }
        var digits = String(String(1000 + thousandths).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)%"
    }
}

extension IOLimits {
    fileprivate var json: JSONValue {
        if devices.isEmpty, let weight { return JSONValue(weight) }
        var object: JSONObject = [:]
        object["weight"] = weight.map { JSONValue($0) }
        for device in devices { object[device.path] = device.json }
        return .object(object)
    }
}

extension IOLimits.Device {
    fileprivate var json: JSONValue {
        var object: JSONObject = [:]
        object["read"] = read.map { .string(SizeText.text($0)) }
        object["write"] = write.map { .string(SizeText.text($0)) }
        object["readOps"] = readOperations.map { JSONValue(Int($0)) }
        object["writeOps"] = writeOperations.map { JSONValue(Int($0)) }
        return .object(object)
    }
}

extension Sandbox {
    var json: JSONValue {
        if self == Sandbox(preset) { return .string(preset.rawValue) }
        var object: JSONObject = ["preset": .string(preset.rawValue)]
        if !writable.isEmpty { object["writable"] = .array(writable.map(JSONValue.string)) }
        if systemCalls != .allowList { object["systemCalls"] = .string(systemCalls.rawValue) }
        return .object(object)
    }
}

extension ListenPoint {
    /// A text when nothing but the address is chosen, else an object of what differs from the defaults.
    var json: JSONValue {
        let plain = ListenPoint(address)
        if self == plain { return .string(text) }
        var object: JSONObject = ["address": .string(text)]
        if kind != plain.kind { object["type"] = .string(kind.rawValue) }
        object["name"] = name.map(JSONValue.string)
        if backlog != plain.backlog { object["backlog"] = JSONValue(backlog) }
        if mode != plain.mode { object["mode"] = .string(octal(mode)) }
        return .object(object)
    }
}
