"""From annotations and the knowledge graph to checked FLEX-VideoQA dialogues."""
