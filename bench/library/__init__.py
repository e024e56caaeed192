"""What ``setbench`` gives to Python: run, load, list_models, list_tasks."""
