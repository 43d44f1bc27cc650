internal import JSON
internal import PMModel

extension ConfigReader {
    static let limitKeys = [
        "memory", "memoryHigh", "cpu", "pids", "io", "nofile", "nice", "oomScoreAdjust",
    ]
    static let deviceKeys = ["read", "write", "readOps", "writeOps"]

    mutating func limits(_ place: ConfigNode) -> Limits {
        var limits = Limits()
        for member in members(of: place, "an object of limits") where !member.node.isNull {
            let child = place.child(member)
            if !treeLimit(member.key, child, &limits) && !processLimit(member.key, child, &limits) {
                unknown(member, in: place, known: Self.limitKeys)
            }
        }
        if let memory = limits.memory, let high = limits.memoryHigh, high > memory {
            report(#""memoryHigh" is more than "memory", so it would never have an effect"#, at: place)
        }
        return limits
    }

    /// The limits of the whole tree; false when this is none of them.
    private mutating func treeLimit(_ key: String, _ place: ConfigNode, _ limits: inout Limits) -> Bool {
        switch key {
        case "memory": limits.memory = memory(place)
        case "memoryHigh": limits.memoryHigh = memory(place)
        case "cpu": limits.cpu = cpu(place)
        case "pids": limits.pids = number(place, 1...Limits.mostPids)
        case "io": limits.io = io(place)
        default: return false
        }
        return true
    }

    /// The limits of each process; false when this is none of them.
    private mutating func processLimit(_ key: String, _ place: ConfigNode, _ limits: inout Limits) -> Bool {
        switch key {
        case "nofile": limits.openFiles = number(place, Limits.leastOpenFiles...Limits.mostOpenFiles)
        case "nice": limits.nice = number(place, -20...19).map { Int32($0) }
        case "oomScoreAdjust": limits.oomScoreAdjust = number(place, -1000...1000).map { Int32($0) }
        default: return false
        }
        return true
    }

    private mutating func number(_ place: ConfigNode, _ range: ClosedRange<Int>) -> Int? {
        if let number = scalar(place).int, range.contains(number) { return number }
        expected("a whole number from \(range.lowerBound) to \(range.upperBound)", at: place)
        return nil
    }

    private mutating func memory(_ place: ConfigNode) -> Int64? {
        guard let size = size(place) else { return nil }
        if size >= Limits.leastMemory { return size }
        report(
            "\(place.node.value.summary) is less than 1 MiB, too little for any program to start", at: place,
            hint: #"give a unit, "256M" for example"#)
        return nil
    }

    /// More than 0 bytes.
    private mutating func size(_ place: ConfigNode) -> Int64? {
        let parsed: Int64? =
            switch place.node.shape {
            case .string(let text): SizeText.parse(text)
            case .number(let number): number.int.map { Int64($0) }
            case .null, .bool, .array, .object: nil
            }
        if let parsed, parsed > 0 { return parsed }
        expected(SizeText.expectation + ", more than 0", at: place)
        return nil
    }

    /// `"50%"` of one processor, or 0.5.
    private mutating func cpu(_ place: ConfigNode) -> Int? {
        let share: Double? =
            switch scalar(place) {
            case .string(let text): percentage(text).map { $0 / 100 }
            case .number(let number): number.double
            case .null, .bool, .array, .object: nil
            }
        let range = Double(Limits.leastCPU)...Double(Limits.mostCPU)
        // bounded: a Double, which does not overflow.
        if let share, range.contains(share * Double(Limits.cpuPeriod)) {
            // bounded: it is in the range.
            return Int((share * Double(Limits.cpuPeriod)).rounded())
        }
        expected(#"a share of one processor from 1% to 102400%, such as "50%", "150%" or 0.5"#, at: place)
        return nil
    }

    /// The number before a `%`, without the forms that Swift reads besides.
    private func percentage(_ text: String) -> Double? {
        let digits = text.utf8.dropLast()
        guard text.hasSuffix("%"), digits.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else {
            return nil
        }
        return Double(text.dropLast())
    }

    /// A weight, or an object with a weight and rates of disks.
    private mutating func io(_ place: ConfigNode) -> IOLimits {
        var io = IOLimits()
        guard case .object = place.node.shape else {
            io.weight = number(place, IOLimits.weights)
            return io
        }
        for member in members(of: place) where !member.node.isNull {
            let child = place.child(member)
            if member.key == "weight" {
                io.weight = number(child, IOLimits.weights)
            } else if member.key.hasPrefix("/") {
                io.devices.append(device(child, path: member.key))
            } else {
                report(
                    "is neither \"weight\" nor the absolute path of a disk, or of a file or folder on a disk", at: child
                )
            }
        }
        return io
    }

    private mutating func device(_ place: ConfigNode, path: String) -> IOLimits.Device {
        var device = IOLimits.Device(path: path)
        for member in members(of: place, "an object of rates") where !member.node.isNull {
            let child = place.child(member)
            switch member.key {
            case "read": device.read = size(child)
            case "write": device.write = size(child)
            case "readOps": device.readOperations = number(child, 1...Int(Int32.max)).map { Int64($0) }
            case "writeOps": device.writeOperations = number(child, 1...Int(Int32.max)).map { Int64($0) }
            default: unknown(member, in: place, known: Self.deviceKeys)
            }
        }
        return device
    }
}
