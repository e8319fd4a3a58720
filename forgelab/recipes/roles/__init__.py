"""What ForgeLab knows of Ansible roles: their options, what they run on a device, who may share one."""
