internal import JSON

extension JSONNode {
    /// This value with another one laid over it, as JSON Merge Patch does (RFC 7396): objects are merged member by member,
    /// null removes a member, and everything else replaces what is here.
    func merged(with overlay: JSONNode) -> JSONNode {
        guard overlay.isObject else { return overlay }
        var result = members
        var places = Dictionary(result.enumerated().map { ($1.key, $0) }) { $1 }
        var removed: Set<String> = []
        for member in overlay.members {
            let isRemoval = member.node.isNull
            if isRemoval { removed.insert(member.key) } else { removed.remove(member.key) }
            if let place = places[member.key] {
                result[place] = isRemoval ? member : member.with(result[place].node.merged(with: member.node))
            } else if !isRemoval {
                places[member.key] = result.count
                result.append(member.with(JSONNode(members: [], at: member.node.offset).merged(with: member.node)))
            }
        }
        return JSONNode(members: result.filter { !removed.contains($0.key) }, at: offset)
    }
}
