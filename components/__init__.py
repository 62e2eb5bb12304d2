"""What an environment can declare: Pulumi component resources, one room per thing."""
