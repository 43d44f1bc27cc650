public import JSON

/// `name []`: a random name.
public struct Name: DaemonCall, Equatable {
    /// Asks for a random name.
    public init() {}

    /// The method's name on the wire.
    public static let method = Method.name
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(.name, doc: "Returns a random name", usage: "name", sources: [])

    /// Takes whatever is sent.
    public init(_ parameters: Parameters) {}

    /// Parameters on the wire: `[]`.
    public var params: JSONValue { [] }

    /// The name.
    public typealias Answer = String
}

/// Names like `brave-stallman`: an adjective and a person who moved computing forward.
public enum RandomName {
    /// Makes up a name that `isTaken` does not hold; after many collisions a number is appended.
    public static func make(
        using generator: inout some RandomNumberGenerator, isTaken: (String) -> Bool = { _ in false }
    ) -> String {
        var name = ""
        for _ in 0..<32 {
            name = pick(adjectives, &generator) + "-" + pick(people, &generator)
            if !isTaken(name) { return name }
        }
        var number = 2
        while isTaken("\(name)-\(number)") { number += 1 }
        return "\(name)-\(number)"
    }

    private static func pick(_ words: [String], _ generator: inout some RandomNumberGenerator) -> String {
        words[Int.random(in: words.indices, using: &generator)]
    }

    private static let adjectives = [
        "able", "agile", "alert", "amber", "bold", "brave", "brisk", "bright", "calm", "candid", "cheerful", "clear",
        "clever", "cosmic", "curious", "daring", "deft", "eager", "early", "earnest", "fair", "fearless", "fond",
        "frank", "gentle", "glad", "golden", "grand", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind",
        "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mighty", "modest", "neat", "nimble", "noble",
        "patient",
        "plucky", "polite", "proud", "quick", "quiet", "ready", "robust", "serene", "sharp", "silent", "smart", "solid",
        "steady", "sunny", "swift", "tidy", "vivid", "warm", "wise", "witty", "zesty",
    ]

    private static let people = [
        "adleman", "aiken", "allen", "babbage", "bachman", "backus", "bartik", "bell", "berners", "blum", "boole",
        "borg", "brooks", "cerf", "chomsky", "church", "clark", "codd", "conway", "cook", "cray", "curry", "dahl",
        "diffie", "dijkstra", "eckert", "engelbart", "estrin", "feigenbaum", "feinler", "floyd", "goldberg",
        "goldwasser",
        "gray", "hamilton", "hamming", "hellman", "hennessy", "hoare", "hollerith", "holberton", "hopcroft", "hopper",
        "huffman", "iverson", "johnson", "kahan", "kahn", "karp", "kay", "kernighan", "kilby", "kleene", "knuth",
        "lamarr", "lampson", "lamport", "leibniz", "licklider", "liskov", "lovelace", "mauchly", "mccarthy", "mcilroy",
        "merkle", "metcalfe", "micali", "milner", "minsky", "moore", "naur", "neumann", "newell", "noyce", "nygaard",
        "patterson", "pearl", "perlis", "perlman", "pike", "postel", "rabin", "ritchie", "rivest", "roberts", "sammet",
        "scott", "shamir", "shannon", "simon", "spolsky", "stallman", "stonebraker", "sutherland", "tanenbaum",
        "tarjan", "thacker", "thompson", "torvalds", "turing", "ullman", "valiant", "wilkes", "wilkinson", "wing",
        "wirth", "wozniak", "yao", "zuse",
    ]
}
